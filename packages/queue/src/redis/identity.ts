import type { RedisClient } from './connection.ts';
import { StoreLostError } from './errors.ts';
import { every } from './every.ts';
import type { DurabilityProblem } from './judge-durability.ts';
import type { StoreMemory } from './remember-store.ts';
import { markStore, parseMark, STORE, type StoreMark } from './store-mark.ts';

/*
 * Whether this Redis is still the one that the process began with. FLUSHALL, a Redis without its files, or a changed
 * REDIS_URL leave a Redis that answers and takes writes, and in which there are no destinations: a callback that is
 * acknowledged into it reaches nobody. So the process remembers the id of its store, and uses no other.
 *
 * A store is marked once, by the first receiver or API that remembers none and finds it durable. A process that remembers one never marks: that
 * would hide the loss from all others.
 */

export interface Identity {
  /** The store that this process works with; null before it has seen one. */
  readonly expectedId: string | null;
  /** What the last look found; null when the store had no mark, undefined before the first look. */
  readonly found: StoreMark | null | undefined;
  /** Why the store must not be used, as for `/readyz`; undefined while it is ours. */
  readonly problem: DurabilityProblem | undefined;
  /**
   * Asks Redis. Without anything remembered, it takes the store for ours as it is found.
   * @throws {StoreLostError} when the store is not ours
   */
  look(): Promise<void>;
  /**
   * Marks a store that nobody has marked, unless another one is remembered. Only for one that keeps what it acknowledges:
   * in another nothing is ever kept, so nobody has to be told when it is exchanged for the right one.
   */
  settle(): Promise<void>;
  /** @throws {StoreLostError} when the last look found that the store is not ours */
  assertOurs(): void;
  /** Calls back when the store is not ours any more, and when one is again. */
  onChange(listener: (problem: DurabilityProblem | undefined) => void): void;
  /** Prepares an adopted store before this process uses it. */
  onAdopt(prepare: () => Promise<void>): void;
  stop(): void;
}

/** How often each process looks, in ms. A commit looks as well. */
const LOOK_MS = 1_000;

export const watchIdentity = (redis: RedisClient, memory: StoreMemory): Identity => {
  let expectedId = memory.read() ?? null;
  let found: StoreMark | null | undefined;
  let problem: DurabilityProblem | undefined;
  let lastText: string | null | undefined;
  let adopting: Promise<void> | undefined;
  const listeners: ((problem: DurabilityProblem | undefined) => void)[] = [];
  const preparations: (() => Promise<void>)[] = [];

  const tell = (next: DurabilityProblem | undefined): void => {
    const isNews = next?.value !== problem?.value;
    problem = next;
    if (isNews) for (const listener of listeners) listener(next);
  };
  const remember = ({ id }: StoreMark): void => {
    if (expectedId === id) return;
    expectedId = id;
    memory.write(id);
  };
  const adopt = async (mark: StoreMark): Promise<void> => {
    tell(problem ?? BEING_ADOPTED);
    for (const prepare of preparations) await prepare();
    remember(mark);
    tell(undefined);
  };

  const look = async (): Promise<void> => {
    const text = await redis.get(STORE);
    if (text === lastText && problem === undefined) return;
    found = parseMark(text) ?? null;
    if (expectedId === null) {
      if (found === null) return;
      remember(found);
    }
    if (found !== null && found.id !== expectedId && found.adopts.includes(expectedId as string)) {
      adopting ??= adopt(found).finally(() => {
        adopting = undefined;
      });
      await adopting;
    } else tell(found?.id === expectedId ? undefined : describeLoss(expectedId as string, found));
    lastText = problem === undefined ? text : undefined;
    assertOurs();
  };
  const assertOurs = (): void => {
    if (problem !== undefined) throw new StoreLostError(`${problem.value}: ${problem.mend}`);
  };
  // While Redis is away there is nothing to know. A loss is told by the listeners.
  const lookAgain = (): void => {
    if (redis.status === 'ready') look().catch(() => {});
  };
  const timer = every(LOOK_MS, lookAgain, () => {});
  redis.on('ready', lookAgain);

  return {
    get expectedId() {
      return expectedId;
    },
    get found() {
      return found;
    },
    get problem() {
      return problem;
    },
    look,
    settle: async () => {
      if (expectedId !== null) return;
      const mark = await markStore(redis);
      if (mark !== undefined) remember(mark);
    },
    assertOurs,
    onChange: (listener) => listeners.push(listener),
    onAdopt: (prepare) => preparations.push(prepare),
    stop: () => {
      clearInterval(timer);
      redis.off('ready', lookAgain);
    },
  };
};

const ADOPT = 'bring its data back, or take this Redis for ours: clickrelay doctor --adopt';

const describeLoss = (expectedId: string, found: StoreMark | null): DurabilityProblem => ({
  setting: 'store',
  value:
    found === null
      ? `gone: this Redis was emptied or exchanged; it held ${expectedId}`
      : `another one: this Redis holds ${found.id}, not ${expectedId}`,
  mend: ADOPT,
});

const BEING_ADOPTED: DurabilityProblem = {
  setting: 'store',
  value: 'being adopted',
  mend: 'wait: it goes on by itself',
};

/** For a program that uses whatever Redis it is given: tests, and commands that look only. */
export const anyStore: Identity = {
  expectedId: null,
  found: undefined,
  problem: undefined,
  look: async () => {},
  settle: async () => {},
  assertOurs: () => {},
  onChange: () => {},
  onAdopt: () => {},
  stop: () => {},
};
