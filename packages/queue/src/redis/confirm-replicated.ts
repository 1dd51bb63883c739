import { QueueUnavailableError } from '@clickrelay/core';
import type { Redis } from 'ioredis';

/** After a replica has not answered, the next wait for it begins this much later: others use the connection too. */
const REST_MS = 500;

interface Waits {
  /** Under way. */
  current: Promise<number>;
  /** Not sent yet: covers the writes of everybody who comes until then. */
  next: Promise<number> | undefined;
  failedAt: number;
}

const waits = new WeakMap<Redis, Waits>();

/** How many replicas have what was written over this connection: one `WAIT` for all who ask at about the same time. */
const countReplicas = (connection: Redis, waitMs: number): Promise<number> => {
  const state = waits.get(connection) ?? { current: Promise.resolve(0), next: undefined, failedAt: -REST_MS };
  waits.set(connection, state);
  const send = async (): Promise<number> => {
    state.next = undefined;
    if (performance.now() - state.failedAt < REST_MS) return 0;
    // Nothing else is answered over this connection meanwhile.
    const replicas = await connection.wait(1, waitMs);
    if (replicas < 1) state.failedAt = performance.now();
    return replicas;
  };
  state.next ??= state.current
    .catch(() => 0)
    .then(() => {
      state.current = send();
      return state.current;
    });
  return state.next;
};

/**
 * Carries out writes, then has a replica of each server say that it has them.
 *
 * `WAIT` knows of the writes of its own connection only. On one that was opened since, it would say at once that all is
 * well; so it counts only when the writes and the answer went over the same socket. (While slots of a Cluster are
 * moved, a write may be redirected with ASK to a server that this does not ask.)
 *
 * @param connections over which commands for the written keys go now
 * @param waitMs how long a replica may take
 * @throws {QueueUnavailableError} when no replica is known to have the writes; they may still exist
 */
export const confirmReplicated = async <T>(
  connections: () => Redis[],
  waitMs: number,
  write: () => Promise<T>,
): Promise<T> => {
  const before = connections();
  const streams = before.map(({ stream }) => stream);
  const isUnbroken = (): boolean => {
    const now = connections();
    return now.length === before.length && now.every((each, at) => each === before[at] && each.stream === streams[at]);
  };
  const result = await write();
  if (isUnbroken()) {
    const replicas = await Promise.all(before.map((connection) => countReplicas(connection, waitMs)));
    if (isUnbroken() && Math.min(...replicas) >= 1) return result;
  }
  throw new QueueUnavailableError(
    `no replica confirmed the write within ${waitMs} ms, as DURABILITY=replicated asks; send it again, it will not count twice`,
  );
};
