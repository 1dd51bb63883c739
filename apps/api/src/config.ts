import { z } from 'zod';

const port = (name: string) => {
  const error = `${name} must be a port, 0 to 65535`;
  return z.coerce.number({ error }).int({ error }).min(0, { error }).max(65_535, { error });
};

/** The environment of the API. An empty variable counts as unset. */
export const config = z.object({
  API_HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
  API_PORT: port('API_PORT').default(8081).describe('Port the API listens on; 0 takes any free one'),
  API_KEY: z
    .string({
      error: 'API_KEY is empty; set it to a long random text, which callers send as `Authorization: Bearer …`',
    })
    .min(16, { error: 'API_KEY must have at least 16 characters' })
    .describe(
      'What callers must send as `Authorization: Bearer <API_KEY>`; at least 16 characters. Must be set; `clickrelay start` makes one',
    ),
  REDIS_URL: z.string().default('redis://127.0.0.1:6379').describe('The Redis that everything is kept in'),
  DURABILITY: z
    .enum(['always', 'everysec', 'replicated', 'unsafe'], {
      error: 'DURABILITY must be always, everysec, replicated or unsafe',
    })
    .default('always')
    .describe('What is asked of the Redis, as for the receiver; `/v1/status` reports against it'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
    })
    .default('info')
    .describe('The lowest level of the lines that are written'),
});

export type Config = z.output<typeof config>;

/** What is wrong with the environment, a line for each variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config => {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const result = config.safeParse(Object.fromEntries(set));
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => issue.message).join('\n'));
};
