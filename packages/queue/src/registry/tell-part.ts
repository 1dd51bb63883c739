import { hostname } from 'node:os';
import type { Store } from '../redis/store.ts';
import { createMeasures, measureDisks, type WatchedDisk } from './measure-process.ts';
import type { ApiPart, CommonFacts, ReceiverPart, WorkerPart } from './part.ts';
import { PART_TELLS_MS, publishPart, removePart } from './parts.ts';

/** What only a part of this role knows. */
type OwnFacts<Facts extends CommonFacts> = Omit<Facts, keyof CommonFacts>;

export interface TellOptions<Facts extends CommonFacts> extends Pick<CommonFacts, 'role' | 'version' | 'settings'> {
  /** Names this process: `host:pid`. */
  readonly process: string;
  readonly disks: readonly WatchedDisk[];
  readonly facts: () => OwnFacts<Facts>;
  /** Called at each beat, also while Redis is away. */
  readonly onBeat?: () => void;
  /** What else is written at each beat. */
  readonly alsoWrite?: () => Promise<unknown>;
}

export interface Telling {
  /** Publishes at once: something has changed that somebody waits for. */
  tellNow(): void;
  /** Takes this part out of the list. */
  stop(): Promise<void>;
}

/** While Redis is away, in ms: short, because a person who has just started Redis looks at once whether all is well. */
const AGAIN_MS = 250;

/** Publishes what a process knows of itself, now and every 5 s. Nothing is published while Redis is away. */
export const tellPart = <Facts extends ReceiverPart | WorkerPart | ApiPart>(
  store: Store,
  { role, version, settings, process, disks, facts, onBeat, alsoWrite }: TellOptions<Facts>,
): Telling => {
  const startedAt = new Date().toISOString();
  const measure = createMeasures(store);
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;
  let hasNews = false;

  const tell = async (): Promise<void> => {
    if (store.redis.status !== 'ready') throw new Error('Redis is away');
    const [{ nowMs, ...measured }, diskFacts] = await Promise.all([measure(), measureDisks(disks)]);
    const common = { role, hostName: hostname(), version, startedAt, storeId: store.identity.expectedId };
    const part = { ...common, ...measured, disks: diskFacts, settings, ...facts() };
    await publishPart(store, process, part as unknown as Facts, nowMs);
    await alsoWrite?.();
  };
  const beat = (): void => {
    hasNews = false;
    onBeat?.();
    telling = tell().then(
      () => next(hasNews ? 0 : PART_TELLS_MS),
      () => next(hasNews ? 0 : AGAIN_MS),
    );
  };
  const next = (ms: number): void => {
    telling = undefined;
    if (timer !== undefined) timer = setTimeout(beat, ms);
  };
  timer = setTimeout(beat, 0);

  return {
    tellNow: () => {
      hasNews = true;
      if (timer === undefined || telling !== undefined) return;
      clearTimeout(timer);
      timer = setTimeout(beat, 0);
    },
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      // A publication under way would put it back.
      await telling;
      if (store.redis.status === 'ready')
        await Promise.all([removePart(store, process), alsoWrite?.()]).catch(() => {});
    },
  };
};
