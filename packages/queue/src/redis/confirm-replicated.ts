import { QueueUnavailableError } from '@clickrelay/core';
import type { Redis } from 'ioredis';

/** How long not to wait for a replica that did not answer, in ms: a wait blocks the connection for others. */
const REST_MS = 500;

interface Waits {
  /** The wait that is under way. */
  current: Promise<number>;
  /** The wait that follows. It covers every write that is made before it is sent. */
  next: Promise<number> | undefined;
  failedAt: number;
}

const waits = new WeakMap<Redis, Waits>();

/** Counts the replicas that have the writes of this connection. Callers at about the same time share one `WAIT`. */
const countReplicas = (connection: Redis, waitMs: number): Promise<number> => {
  const state = waits.get(connection) ?? { current: Promise.resolve(0), next: undefined, failedAt: -REST_MS };
  waits.set(connection, state);
  const send = async (): Promise<number> => {
    state.next = undefined;
    if (performance.now() - state.failedAt < REST_MS) return 0;
    // Meanwhile Redis answers nothing else over this connection.
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
 * Carries out writes, then waits until a replica of each server has them.
 *
 * `WAIT` covers only the writes of its own connection. On a connection that was opened later, it would answer at once
 * that all is well, so its answer counts only if it came over the same socket as the writes. (While slots of a Cluster
 * move, a write may be redirected with ASK to a server that is not asked here.)
 *
 * @param connections the connections that now carry commands for the written keys
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
    `no replica confirmed the write within ${waitMs} ms, as DURABILITY=replicated asks; ` +
      'send it again, it will not count twice',
  );
};
