import { randomBytes } from 'node:crypto';
import type { RedisClient } from './connection.ts';
import { REGISTRY } from './names.ts';

/** What a store says of itself: which one it is. It is lost with the data, so its absence tells that they are. */
export interface StoreMark {
  /** `str_…`, random. */
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Stores that are gone, and that this one stands in for: `clickrelay doctor --adopt` names them. */
  readonly adopts: readonly string[];
}

export const STORE = `${REGISTRY}:store`;

export const newMark = (adopts: readonly string[] = []): StoreMark => ({
  id: `str_${randomBytes(12).toString('base64url')}`,
  createdAt: new Date().toISOString(),
  adopts,
});

/** @returns undefined when there is none, or nothing that we wrote */
export const parseMark = (text: string | null): StoreMark | undefined => {
  try {
    const mark = JSON.parse(text ?? 'null') as StoreMark | null;
    return typeof mark?.id === 'string' ? { ...mark, adopts: mark.adopts ?? [] } : undefined;
  } catch {
    return undefined;
  }
};

export const readMark = async (redis: RedisClient): Promise<StoreMark | undefined> => parseMark(await redis.get(STORE));

/** Marks a store that has no mark. @returns the mark that it has from now on */
export const markStore = async (redis: RedisClient): Promise<StoreMark | undefined> => {
  await redis.set(STORE, JSON.stringify(newMark()), 'NX');
  return readMark(redis);
};
