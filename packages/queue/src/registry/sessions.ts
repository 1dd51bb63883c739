import { hash, randomBytes } from 'node:crypto';
import { DAY_MS, HOUR_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Sessions of people who signed in with a key. The cookie holds the id of a session; Redis keeps only its SHA-256. A
 * session stands for its key: the API checks at each request that the key still exists.
 */

export interface Session {
  /** The key that it was opened with: its id, or the digest of `API_KEY`. */
  readonly keyId: string;
  /** A page sends it with every request that changes something. */
  readonly csrfToken: string;
  readonly createdAtMs: number;
}

/** A session ends after so long without a request. */
const SESSION_IDLE_MS = 12 * HOUR_MS;
/** And after so long in any case. */
const SESSION_LONGEST_MS = 7 * DAY_MS;

const keyOf = (sessionId: string): string => `${REGISTRY}:session:${hash('sha256', sessionId)}`;

/** @returns the session and its id, which is kept nowhere */
export const openSession = async (
  store: Store,
  keyId: string,
  nowMs: number,
): Promise<{ sessionId: string; session: Session }> => {
  const sessionId = randomBytes(32).toString('base64url');
  const session: Session = { keyId, csrfToken: randomBytes(32).toString('base64url'), createdAtMs: nowMs };
  await store.redis.set(keyOf(sessionId), JSON.stringify(session), 'PX', SESSION_IDLE_MS);
  return { sessionId, session };
};

/** Finds a session and extends it; undefined when there is none, or it has ended. */
export const findSession = async (store: Store, sessionId: string, nowMs: number): Promise<Session | undefined> => {
  const leftOf = ({ createdAtMs }: Session): number => createdAtMs + SESSION_LONGEST_MS - nowMs;
  const text = await store.redis.get(keyOf(sessionId));
  const session = text === null ? undefined : (JSON.parse(text) as Session);
  if (session === undefined || leftOf(session) <= 0) return undefined;
  await store.redis.pexpire(keyOf(sessionId), Math.min(SESSION_IDLE_MS, leftOf(session)));
  return session;
};

export const closeSession = async (store: Store, sessionId: string): Promise<void> => {
  await store.redis.del(keyOf(sessionId));
};
