import { DAY_MS, MINUTE_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * In which minutes a receiver was up and ready: a lane that was silent meanwhile says nothing about Clickatell where
 * none was. A bit for each minute of a day, 180 bytes, for 33 days. One ready receiver is enough.
 */

const KEPT_S = (33 * DAY_MS) / 1_000;
const MINUTES_A_DAY = DAY_MS / MINUTE_MS;
const keyOf = (day: number): string => `${REGISTRY}:ready:${day}`;

export interface ReadyMinutes {
  /** This receiver would accept a callback now. */
  note(nowMs: number): void;
  /** Writes the minutes that Redis does not have yet: also those in which it was away. */
  write(store: Store): Promise<void>;
}

export const createReadyMinutes = (): ReadyMinutes => {
  let last = -1;
  let pending = new Set<number>();
  return {
    note: (nowMs) => {
      const minute = Math.floor(nowMs / MINUTE_MS);
      if (minute !== last) pending.add(minute);
      last = minute;
    },
    write: async (store) => {
      const taken = pending;
      pending = new Set();
      try {
        await sendAll(
          store,
          [...taken].flatMap((minute): RedisCommand[] => {
            const key = keyOf(Math.floor(minute / MINUTES_A_DAY));
            return [
              ['setbit', key, minute % MINUTES_A_DAY, 1],
              ['expire', key, KEPT_S],
            ];
          }),
        );
      } catch (error) {
        pending = new Set([...taken, ...pending]);
        throw error;
      }
    },
  };
};

/** Whether a receiver was ready in each whole minute after `fromMs`, as far as receivers have told it by now. */
export const wasReadySince = async (store: Store, fromMs: number, nowMs: number): Promise<boolean> => {
  const first = Math.floor(fromMs / MINUTE_MS) + 1;
  // They tell it every few seconds: the present minute and the one before it may not be there.
  const end = Math.floor(nowMs / MINUTE_MS) - 1;
  if (end <= first) return true;
  const firstDay = Math.floor(first / MINUTES_A_DAY);
  const days = Math.floor((end - 1) / MINUTES_A_DAY) - firstDay + 1;
  if (days > KEPT_S) return false;
  const maps = await Promise.all(
    Array.from({ length: days }, (_, index) => store.redis.getBuffer(keyOf(firstDay + index))),
  );
  for (let minute = first; minute < end; minute++) {
    const at = minute % MINUTES_A_DAY;
    const byte = maps[Math.floor(minute / MINUTES_A_DAY) - firstDay]?.[at >> 3] ?? 0;
    if ((byte & (0x80 >> (at & 7))) === 0) return false;
  }
  return true;
};
