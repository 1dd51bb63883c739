/*
 * What cannot be used for the moment is put aside: on a Cluster an ingest queue, a shard of the log or the queue of a
 * destination, whose slot moves or whose master is away. Everything else goes on meanwhile. Now and then one try finds
 * out whether it can be used again; the others do not wait for that.
 */

/** In ms, from one try to the next: twice as long each time. */
const WAIT_MS = { shortest: 250, longest: 4_000 } as const;

export interface PutAside {
  /** Whether it is worth a try. When its time has come, the first who asks may try. */
  mayTry(tag: string): boolean;
  failed(tag: string, why: unknown): void;
  /** Why it was put aside. */
  reason(tag: string): unknown;
  worked(tag: string): void;
}

interface Aside {
  readonly waitMs: number;
  until: number;
  readonly why: unknown;
  /** Somebody tries. Before that, failures are those of commands that were sent earlier. */
  isTried: boolean;
}

export const createPutAside = (now: () => number = () => performance.now()): PutAside => {
  const asides = new Map<string, Aside>();
  return {
    mayTry: (tag) => {
      const aside = asides.get(tag);
      if (aside === undefined) return true;
      if (aside.until > now()) return false;
      aside.until = now() + aside.waitMs;
      aside.isTried = true;
      return true;
    },
    failed: (tag, why) => {
      const before = asides.get(tag);
      if (before !== undefined && !before.isTried) return;
      const waitMs = before === undefined ? WAIT_MS.shortest : Math.min(before.waitMs * 2, WAIT_MS.longest);
      asides.set(tag, { waitMs, until: now() + waitMs, why, isTried: false });
    },
    reason: (tag) => asides.get(tag)?.why,
    worked: (tag) => {
      asides.delete(tag);
    },
  };
};
