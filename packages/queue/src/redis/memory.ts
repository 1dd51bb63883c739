import { QueueUnavailableError } from '@clickrelay/core';
import type { Redis } from 'ioredis';
import { SMALL_CALLBACK_BYTES } from './size-limits.ts';
import type { Store } from './store.ts';

/*
 * Redis keeps everything in memory, and at `maxmemory` it refuses every write, also those by which workers finish their
 * work and make room. So callbacks are refused before that: the last tenth is for the workers.
 */

/** Callbacks are refused from this share of `maxmemory` on. */
const FULL = 0.9;
/** Callbacks are refused until memory is below this again, so that the state does not flicker. */
const NOT_FULL = 0.88;
/** Above this share, memory is looked at more often. */
const FILLING = 0.5;
const LOOK_MS = 2_000;
const LOOK_WHILE_FILLING_MS = 250;
/** A look is due at once when this share of `maxmemory` may have come in since the last. */
const LOOK_AFTER = 0.02;
/** About what a committed callback costs in memory: allocators round up. */
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
  // The buffers of replicas and of the append-only file come and go, and Redis does not count them either.
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
   * @throws {QueueUnavailableError} when the rest of the memory is for the work on what Redis holds already
   */
  admit(bytes: number): void;
  /** How full Redis is, in whole percent, while every callback is refused for it. */
  fullPercent(): number | undefined;
  stop(): void;
}

/** Looks at the memory of Redis now, and regularly from now on. */
export const watchMemory = (store: Store): MemoryWatch => {
  let use = NONE;
  let isFull = false;
  /** What this process stored since the last look: much may come in fast. */
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
      // Redis was not reached: nothing can be stored there either, and the next look is soon.
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
        // A large callback that does not fit is no reason to refuse small ones.
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
