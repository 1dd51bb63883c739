import type { Redis } from 'ioredis';
import { every } from './every.ts';

/*
 * What is due at a time goes by one clock, that of Redis, which all processes share. Each process asks for it every
 * second, and goes on from there by a clock that nobody can set, `performance.now`. So it does not matter what the
 * clocks of the other machines say, or who changes them.
 *
 * The clock of Redis itself may be put back. Then Redis keeps longer, by as much, what it keeps until a time: locks,
 * turns, spans of rates, and jobs that sleep. The next look notices. From then on none of these may last longer than it
 * could if it began now: see jobs/shorten-waits.ts for queues, take-turn.ts for turns, destinations/holds.ts for holds.
 */

export interface RedisClock {
  /** The time of Redis, in whole ms since 1970. Before the first look, that of this machine. */
  now(): number;
  /** Asks Redis for its time. */
  look(): Promise<void>;
  /** Whether it was asked before. */
  readonly isKnown: boolean;
  /** Looks now and every second, until it is stopped. @param onPutBack gets by how many ms the clock was put back */
  watch(onPutBack: (byMs: number) => void): { stop(): void };
}

/** How often each process looks, in ms. */
export const CLOCK_LOOK_MS = 1_000;
/** Less is an adjustment, as clocks have it all the time. */
export const PUT_BACK_MS = 1_000;

/**
 * @param servers all that take writes
 * @param reference the one whose clock it is
 */
export const createRedisClock = (servers: () => Redis[], reference: () => Redis): RedisClock => {
  /** By server: how far its clock is ahead of `performance.now`, in ms. */
  const ahead = new Map<string, number>();
  const watchers = new Set<(byMs: number) => void>();
  let aheadMs = performance.timeOrigin;
  let timer: NodeJS.Timeout | undefined;

  /** @returns by how much the clock of the server was put back */
  const lookAt = async (server: Redis): Promise<number> => {
    const asked = performance.now();
    const [seconds, microseconds] = await server.time();
    const answered = performance.now();
    const time = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    const known = ahead.get(nameOf(server)) ?? time - (asked + answered) / 2;
    // Redis read its clock at some moment between the two: a slow answer alone moves nothing.
    const found = Math.min(Math.max(known, time - answered), time - asked);
    ahead.set(nameOf(server), found);
    return known - found;
  };

  const look = async (): Promise<void> => {
    const putBackMs = Math.max(...(await Promise.all(servers().map(lookAt))));
    aheadMs = ahead.get(nameOf(reference())) ?? aheadMs;
    if (putBackMs >= PUT_BACK_MS) for (const tell of watchers) tell(Math.round(putBackMs));
  };
  // While Redis is away there is nothing to know, and others say that it is.
  const lookAgain = (): Promise<void> => look().catch(() => {});

  return {
    now: () => Math.floor(performance.now() + aheadMs),
    look,
    get isKnown() {
      return ahead.size > 0;
    },
    watch: (onPutBack) => {
      watchers.add(onPutBack);
      timer ??= every(CLOCK_LOOK_MS, lookAgain, () => {});
      return {
        stop: () => {
          watchers.delete(onPutBack);
          if (watchers.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
};

const nameOf = ({ options: { host, port } }: Redis): string => `${host}:${port}`;
