import { randomBytes } from 'node:crypto';
import { DAY_MS } from '@clickrelay/core';
import { runScript, type Script } from './script.ts';
import { PIECE_LENGTH } from './size-limits.ts';
import type { Store } from './store.ts';

/*
 * A large text lies in pieces beside the job or record that refers to it: Redis serves no other client while it reads
 * or writes one value, and a job is copied several times on its way. A writer stores the pieces first, and keeps them
 * once something refers to them. Until then they expire, so a process that dies in between leaves nothing behind.
 */

/** Pieces under way at once: other commands on the connection get in between. */
const AT_ONCE = 2;
const UNUSED_EXPIRE_S = DAY_MS / 1_000;
/** How long a text stays after it was read for the last time: after a crash the next worker still finds it. */
const USED_EXPIRE_S = 60;

/** The field beside the pieces that marks a used text: it must not be kept any longer. */
const USED = 'used';

/**
 * Writes the first piece and its expiry in one step: a process that dies between the two would leave the piece for
 * ever.
 * KEYS: text. ARGV: field and content of its first piece, seconds until it is gone.
 */
const BEGIN: Script = {
  name: 'beginLarge',
  lua: `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])`,
};

/** KEYS: text. ARGV: the field that says it was used. */
const KEEP: Script = {
  name: 'keepLarge',
  lua: `if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then redis.call('PERSIST', KEYS[1]) end`,
};

/** Where a large text lies. */
export interface LargeText {
  readonly key: string;
  readonly pieces: number;
}

/** A name that no other key has. */
export const newSuffix = (): string => randomBytes(9).toString('base64url');

/**
 * Writes a text, which expires after a day unless `keepLarge` keeps it.
 * @param text or its bytes, which spare the caller a string of megabytes
 * @param inTime wraps each step: one deadline for all of them would limit the size of the text
 */
export const storeLarge = async (
  store: Store,
  key: string,
  text: string | Uint8Array,
  inTime: <T>(step: Promise<T>) => Promise<T> = (step) => step,
): Promise<LargeText> => {
  const starts: number[] = [];
  for (let at = 0; at < text.length; ) {
    starts.push(at);
    at += PIECE_LENGTH;
    for (let back = 0; back < MOST_OF_A_CHARACTER && isWithinCharacter(text, at); back++) at--;
  }
  const pieceAt = (piece: number) => cut(text, starts[piece] as number, starts[piece + 1] ?? text.length);
  const write = (piece: number): Promise<number> => store.redis.hset(key, String(piece), pieceAt(piece));
  await inTime(runScript(store.redis, BEGIN, [key], ['0', pieceAt(0), UNUSED_EXPIRE_S]));
  for (let piece = 1; piece < starts.length; piece += AT_ONCE) {
    const some = Math.min(AT_ONCE, starts.length - piece);
    await inTime(Promise.all(Array.from({ length: some }, (_, next) => write(piece + next))));
  }
  return { key, pieces: starts.length };
};

/** How many bytes a character has after its first. Bytes that are not UTF-8 are cut anywhere. */
const MOST_OF_A_CHARACTER = 3;

const cut = (text: string | Uint8Array, from: number, to: number): string | Buffer =>
  typeof text === 'string' ? text.slice(from, to) : Buffer.from(text.buffer, text.byteOffset + from, to - from);

/** Whether a cut here would split a surrogate pair, or the bytes of one character. */
const isWithinCharacter = (text: string | Uint8Array, at: number): boolean =>
  at < text.length &&
  (typeof text === 'string'
    ? (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
    : ((text[at] as number) & 0b1100_0000) === 0b1000_0000);

/** Keeps a text until it is dropped. A text that a fast worker has already dropped stays dropped. */
export const keepLarge = async (store: Store, { key }: LargeText): Promise<void> => {
  await runScript(store.redis, KEEP, [key], [USED]);
};

/** @returns undefined when it is gone. */
export const readLarge = async (store: Store, large: LargeText): Promise<string | undefined> =>
  (await readEach(large, (key, piece) => store.redis.hget(key, piece)))?.join('');

/**
 * The bytes of its pieces, for another thread.
 * @returns undefined when it is gone.
 */
export const readLargePieces = (store: Store, large: LargeText): Promise<SharedArrayBuffer[] | undefined> =>
  readEach(large, async (key, piece) => {
    const bytes = await store.redis.hgetBuffer(key, piece);
    if (bytes === null) return null;
    const shared = new SharedArrayBuffer(bytes.length);
    bytes.copy(new Uint8Array(shared));
    return shared;
  });

/** The bytes as they were. @returns undefined when they are gone. */
export const readLargeBytes = async (store: Store, large: LargeText): Promise<Buffer | undefined> => {
  const pieces = await readEach(large, (key, piece) => store.redis.hgetBuffer(key, piece));
  return pieces && Buffer.concat(pieces);
};

const readEach = async <Piece>(
  { key, pieces }: LargeText,
  read: (key: string, piece: string) => Promise<Piece | null>,
): Promise<Piece[] | undefined> => {
  const all: Piece[] = [];
  for (let piece = 0; piece < pieces; piece += AT_ONCE) {
    const some = Math.min(AT_ONCE, pieces - piece);
    const found = await Promise.all(Array.from({ length: some }, (_, next) => read(key, String(piece + next))));
    for (const one of found) {
      if (one === null) return undefined;
      all.push(one);
    }
  }
  return all;
};

/** Drops a text that is no longer needed: it expires within a minute. */
export const dropLarge = async (store: Store, { key }: LargeText): Promise<void> => {
  await store.redis.multi().hset(key, USED, 1).expire(key, USED_EXPIRE_S).exec();
};
