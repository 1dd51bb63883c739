import type { Store } from './store.ts';

export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/**
 * Sends commands in one write.
 * @param commands with lower-case names
 * @returns Their replies, in order.
 * @throws the first error among them, when all have been answered
 */
export const sendAll = async (store: Store, commands: readonly RedisCommand[]): Promise<unknown[]> => {
  if (commands.length === 0) return [];
  const replies = await store.redis.pipeline(commands.map((command) => [...command])).exec();
  if (replies === null) throw new Error('the pipeline was not executed');
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
};
