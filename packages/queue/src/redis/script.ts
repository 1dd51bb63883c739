import type { RedisClient } from './connection.ts';

/** A script that Redis carries out as one atomic step. */
export interface Script {
  /** Unique among all scripts: the client knows it by this. */
  readonly name: string;
  readonly lua: string;
}

/** A table for scripts, from the one in the code: `local NAME = {…}`. */
export const luaTable = (name: string, values: Readonly<Record<string, string | number>>): string => {
  const fields = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `local ${name} = { ${fields.join(', ')} }\n`;
};

/** Runs a script: by its hash, and by its text when the server does not have it yet. */
export const runScript = async <Reply>(
  redis: RedisClient,
  { name, lua }: Script,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[] = [],
): Promise<Reply> => {
  const commands = redis as unknown as Record<string, (...keysAndArgs: (string | number | Buffer)[]) => Promise<Reply>>;
  if (commands[name] === undefined) redis.defineCommand(name, { lua });
  return (commands[name] as (typeof commands)[string])(keys.length, ...keys, ...args);
};
