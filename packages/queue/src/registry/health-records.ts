import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';

/*
 * What the judgement of health remembers between two looks and over a restart, who judges, and what was judged last, for
 * those who do not. The texts are those of `packages/health`: this room knows keys only.
 */

const CONDITIONS = `${REGISTRY}:conditions`;
const ACKNOWLEDGED = `${REGISTRY}:conditions:acknowledged`;
const VERDICT = `${REGISTRY}:conditions:verdict`;
const TURN = `${REGISTRY}:conditions:turn`;
const PROBE = `${REGISTRY}:conditions:probe`;

/** Three looks may be missed. */
const TURN_MS = 15_000;
/** What was judged before is no help to anybody. */
const VERDICT_KEPT_MS = 600_000;

/** By `<code>|<subject>`. */
type Texts = Readonly<Record<string, string>>;

export interface HealthRecords {
  read(): Promise<{ conditions: Texts; acknowledged: Texts; verdict: string | null }>;
  /** Writes only what changed. */
  write(change: { changed: Texts; gone: readonly string[]; verdict: string }): Promise<void>;
  acknowledge(place: string, text: string): Promise<void>;
  /** Forgets acknowledgements of what is over. */
  forget(places: readonly string[]): Promise<void>;
  /** @returns whether this process judges, from now on for 15 s */
  takeTurn(by: string): Promise<boolean>;
  giveTurn(by: string): Promise<void>;
  /** Writes something small, as a receiver would. @throws why Redis takes no writes */
  probe(): Promise<void>;
}

export const openHealthRecords = (store: Store): HealthRecords => {
  const { redis } = store;
  return {
    read: async () => {
      const [conditions, acknowledged, verdict] = await Promise.all([
        redis.hgetall(CONDITIONS),
        redis.hgetall(ACKNOWLEDGED),
        redis.get(VERDICT),
      ]);
      return { conditions, acknowledged, verdict };
    },
    write: async ({ changed, gone, verdict }) => {
      store.assertConnected();
      const writing = redis.multi().set(VERDICT, verdict, 'PX', VERDICT_KEPT_MS);
      if (Object.keys(changed).length > 0) writing.hset(CONDITIONS, changed);
      if (gone.length > 0) writing.hdel(CONDITIONS, ...gone);
      await writing.exec();
    },
    acknowledge: async (place, text) => {
      store.assertConnected();
      await redis.hset(ACKNOWLEDGED, place, text);
    },
    forget: async (places) => {
      if (places.length > 0) await redis.hdel(ACKNOWLEDGED, ...places);
    },
    takeTurn: async (by) => {
      const holder = await takeTurn(store, TURN, by, TURN_MS);
      if (holder === by) await redis.pexpire(TURN, TURN_MS);
      return holder === null || holder === by;
    },
    giveTurn: async (by) => {
      if ((await redis.get(TURN)) === by) await redis.del(TURN);
    },
    probe: async () => {
      store.assertConnected();
      await redis.set(PROBE, '1', 'PX', TURN_MS);
    },
  };
};
