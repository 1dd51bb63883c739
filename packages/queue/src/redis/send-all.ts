import type { Store } from './store.ts';

export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/**
 * Sends commands for any keys. A single server gets them in one write. On a Cluster each is sent by itself, because a
 * pipeline must not touch two servers.
 * @param commands with lower-case names
 * @returns Their replies, in order.
 * @throws the first error, once all commands are answered
 */
export const sendAll = async (store: Store, commands: readonly RedisCommand[]): Promise<unknown[]> => {
  if (commands.length === 0) return [];
  const { redis } = store;
  if (store.isCluster) {
    const replies = await Promise.allSettled(commands.map(([name, ...args]) => redis.call(name, args)));
    return replies.map((reply) => {
      if (reply.status === 'rejected') throw reply.reason;
      return reply.value;
    });
  }
  const replies = await redis.pipeline(commands.map((command) => [...command])).exec();
  if (replies === null) throw new Error('the pipeline was not executed');
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
};

/** The reply to `hgetall`: an object, or alternating fields and values when the command was sent by its name. */
export const fieldsOf = (reply: unknown): Record<string, string> => {
  if (!Array.isArray(reply)) return (reply ?? {}) as Record<string, string>;
  const fields: Record<string, string> = {};
  for (let at = 0; at < reply.length; at += 2) fields[String(reply[at])] = String(reply[at + 1]);
  return fields;
};
