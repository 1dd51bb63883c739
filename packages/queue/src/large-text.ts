import { randomBytes } from 'node:crypto';
import type { Store } from './store.ts';

/*
 * What is large lies beside, in pieces: Redis serves nobody else while it takes or gives one value, and a job is copied
 * several times on its way. Pieces are written before what refers to them, and expire unless they are kept then: nothing
 * is left behind by whoever dies in between.
 */

/** Texts longer than this are large, in characters. */
export const LARGE = 256 * 1024;
/** Characters in a piece. Redis takes one of them in about a millisecond. */
const PIECE = 256 * 1024;
/** Pieces under way at once: others that share the connection come in between. */
const AT_ONCE = 2;
const UNUSED_EXPIRE_S = 24 * 3600;
/** Until what was read for the last time is gone: whoever takes the work over after a crash finds it yet. */
const USED_EXPIRE_S = 60;

/** Where a large text lies. */
export interface LargeText {
  readonly key: string;
  readonly pieces: number;
}

/** A name for a key that nobody else has. */
export const newSuffix = (): string => randomBytes(9).toString('base64url');

/** Writes a text, which is gone after a day unless it is kept. */
export const storeLarge = async (store: Store, key: string, text: string): Promise<LargeText> => {
  const starts: number[] = [];
  for (let at = 0; at < text.length; ) {
    starts.push(at);
    at += PIECE;
    // Half of a pair of surrogates is no text of its own.
    if ((text.charCodeAt(at - 1) & 0xfc00) === 0xd800) at--;
  }
  const write = (piece: number): Promise<number> =>
    store.redis.hset(key, String(piece), text.slice(starts[piece], starts[piece + 1] ?? text.length));
  await write(0);
  await store.redis.expire(key, UNUSED_EXPIRE_S);
  for (let piece = 1; piece < starts.length; piece += AT_ONCE) {
    const some = Math.min(AT_ONCE, starts.length - piece);
    await Promise.all(Array.from({ length: some }, (_, next) => write(piece + next)));
  }
  return { key, pieces: starts.length };
};

/** From now on it stays until it is dropped. */
export const keepLarge = async (store: Store, { key }: LargeText): Promise<void> => {
  await store.redis.persist(key);
};

/** @returns undefined when it is gone. */
export const readLarge = async (store: Store, { key, pieces }: LargeText): Promise<string | undefined> => {
  const read: string[] = [];
  for (let piece = 0; piece < pieces; piece += AT_ONCE) {
    const some = Math.min(AT_ONCE, pieces - piece);
    const texts = await Promise.all(
      Array.from({ length: some }, (_, next) => store.redis.hget(key, String(piece + next))),
    );
    for (const text of texts) {
      if (text === null) return undefined;
      read.push(text);
    }
  }
  return read.join('');
};

/** It is not needed any more: in a minute it is gone. */
export const dropLarge = async (store: Store, { key }: LargeText): Promise<void> => {
  await store.redis.expire(key, USED_EXPIRE_S);
};
