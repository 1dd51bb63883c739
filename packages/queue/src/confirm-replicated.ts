import { QueueUnavailableError } from '@clickrelay/core';
import type { Redis } from 'ioredis';

/** A replica that is well answers within milliseconds. Shorter than a commit may take, so that its reason is told. */
const REPLICA_WAIT_MS = 1_000;

/**
 * Carries out writes, then has a replica of each server say that it has them.
 *
 * `WAIT` knows of the writes of its own connection only. On one that was opened since, it would say at once that all is
 * well; so it counts only when the writes and the answer went over the same socket. (While slots of a Cluster are moved,
 * a write may be redirected with ASK to a server that this does not ask.)
 *
 * @param connections over which commands for the written keys go now
 * @throws {QueueUnavailableError} when no replica is known to have the writes; they may still exist
 */
export const confirmReplicated = async <T>(connections: () => Redis[], write: () => Promise<T>): Promise<T> => {
  const before = connections();
  const streams = before.map(({ stream }) => stream);
  const isUnbroken = (): boolean => {
    const now = connections();
    return now.length === before.length && now.every((each, at) => each === before[at] && each.stream === streams[at]);
  };
  const result = await write();
  if (isUnbroken()) {
    const replicas = await Promise.all(before.map((connection) => connection.wait(1, REPLICA_WAIT_MS)));
    if (isUnbroken() && Math.min(...replicas) >= 1) return result;
  }
  throw new QueueUnavailableError(
    `no replica confirmed the write within ${REPLICA_WAIT_MS} ms, as DURABILITY=replicated asks; send it again, it will not count twice`,
  );
};
