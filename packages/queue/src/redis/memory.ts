import { QueueUnavailableError } from '@clickrelay/core';
import type { Redis } from 'ioredis';
import { SMALL_CALLBACK_BYTES } from './size-limits.ts';
import type { Store } from './store.ts';

/*
 * Redis keeps everything in memory. At `maxmemory` it refuses every write, even those with which workers finish their
 * jobs and make room. So callbacks are refused earlier: the last tenth is for the workers.
 */

/** From this share of `maxmemory` on callbacks are refused. */
const FULL = 0.9;
/** They are refused until the share is below this, so that the state does not flap. */
const NOT_FULL = 0.88;
/** From this share on memory is checked more often. */
const FILLING = 0.5;
const LOOK_MS = 2_000;
const LOOK_WHILE_FILLING_MS = 250;
/** Check at once when this share of `maxmemory` may have been added since the last check. */
const LOOK_AFTER = 0.02;
/** Roughly what a committed callback takes in memory: allocators round up. */
const costOf = (bytes: number): number => 512 + 1.3 * bytes;

export interface MemoryUse {
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** Of the fullest server; 0 without a limit. */
  readonly share: number;
}

const infoNumber = (info: string, field: string): number =>
  Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);

const readServer = async (server: Redis): Promise<MemoryUse> => {
  const info = await server.info('memory');
  // Leave out the buffers of replicas and of the append-only file, as Redis does for `maxmemory`: they come and go.
  const usedBytes = infoNumber(info, 'used_memory') - infoNumber(info, 'mem_not_counted_for_evict');
  const maxBytes = infoNumber(info, 'maxmemory');
  return { usedBytes, maxBytes, share: maxBytes === 0 ? 0 : usedBytes / maxBytes };
};

/** The memory of the server, or of the fullest master of a Cluster. */
export const readMemory = async (store: Store): Promise<MemoryUse> => {
  const uses = await Promise.all(store.servers().map(readServer));
  return uses.reduce((fullest, use) => (use.share > fullest.share ? use : fullest), uses[0] ?? NONE);
};

const NONE: MemoryUse = { usedBytes: 0, maxBytes: 0, share: 0 };

export interface MemoryWatch {
  /**
   * Call this before storing something of this size.
   * @throws {QueueUnavailableError} when the remaining memory is reserved for the workers
   */
  admit(bytes: number): void;
  /** How full Redis is, in whole percent; undefined unless every callback is refused because of it. */
  fullPercent(): number | undefined;
  stop(): void;
}

/** Checks the memory of Redis now, and regularly from now on. */
export const watchMemory = (store: Store): MemoryWatch => {
  let use = NONE;
  let isFull = false;
  /** What this process stored since the last check: much may come in fast. */
  let addedBytes = 0;
  let isLooking = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    clearTimeout(timer);
    try {
      const before = addedBytes;
      use = await readMemory(store);
      addedBytes -= before;
      isFull = use.share >= (isFull ? NOT_FULL : FULL);
    } catch {
      // Redis is unreachable, so nothing can be stored there either. The next check is soon.
    }
    isLooking = false;
    if (!stopped) timer = setTimeout(look, use.share >= FILLING ? LOOK_WHILE_FILLING_MS : LOOK_MS);
  };
  void look();

  const shareWith = (bytes: number): number =>
    use.maxBytes === 0 ? 0 : (use.usedBytes + addedBytes + bytes) / use.maxBytes;

  return {
    admit: (bytes) => {
      const cost = costOf(bytes);
      if (isFull || shareWith(cost) >= FULL) {
        // Do not refuse small callbacks because a large one did not fit.
        if (bytes < SMALL_CALLBACK_BYTES) isFull = true;
        throw new QueueUnavailableError(
          `Redis is at ${Math.floor(100 * shareWith(0))} % of its maxmemory, and the rest is for what it holds already; nothing was stored, send it again later`,
        );
      }
      addedBytes += cost;
      if (addedBytes > LOOK_AFTER * use.maxBytes && use.maxBytes > 0) void look();
    },
    fullPercent: () => (isFull ? Math.floor(100 * shareWith(0)) : undefined),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
