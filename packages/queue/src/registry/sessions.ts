import { hash, randomBytes } from 'node:crypto';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Sessions of people who signed in with a key. Of the id, which the cookie holds, only the SHA-256 is kept. A session
 * stands for its key: whoever uses one looks whether that key still opens anything.
 */

export interface Session {
  /** The key that it was opened with: its id, or the digest of `API_KEY`. */
  readonly keyId: string;
  /** What a page must send along with whatever changes something. */
  readonly csrfToken: string;
  readonly createdAtMs: number;
}

/** Without a request for so long it ends. */
const SESSION_IDLE_MS = 12 * 3_600_000;
/** And after so long in any case. */
const SESSION_LONGEST_MS = 7 * 24 * 3_600_000;

const keyOf = (sessionId: string): string => `${REGISTRY}:session:${hash('sha256', sessionId)}`;

/** @returns the session with its id, which is kept nowhere. */
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

/** The session of this id, which lives on from now; undefined when there is none, or none any more. */
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
