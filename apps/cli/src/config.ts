import { adapters, baseUrl, publicUrl, readConfig as read } from '@clickrelay/service/settings';
import { z } from 'zod';

const port = (name: string) => {
  const error = `${name} must be a port, 0 to 65535`;
  return z.coerce.number({ error }).int({ error }).min(0, { error }).max(65_535, { error });
};

/** The environment of the `clickrelay` command. An empty variable counts as unset. */
export const config = z.object({
  DATA_DIR: z
    .string()
    .default('./data')
    .describe('Where `clickrelay start` keeps secrets, logs and its own Redis, and other commands find them'),
  REDIS_URL: z
    .string()
    .default('')
    .describe('As for the receiver; empty: `clickrelay start` runs its own in `DATA_DIR`'),
  HOST: z.string().default('0.0.0.0').describe('Address the receiver listens on'),
  PORT: port('PORT').default(8080).describe('Port the receiver listens on; 0 takes any free one'),
  API_HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
  API_PORT: port('API_PORT').default(8081).describe('Port the API listens on; 0 takes any free one'),
  PUBLIC_URL: publicUrl.describe(
    'How Clickatell reaches the receiver: the start of the callback URLs that are printed',
  ),
  CALLBACK_AUTH: z
    .string()
    .default('')
    .describe('As for the receiver; empty: `clickrelay start` makes one and keeps it in `DATA_DIR`'),
  CALLBACK_PATH_PREFIX: z.string().default('/client-callback').describe('As for the receiver'),
  API_URL: baseUrl('API_URL', 'http://127.0.0.1:8081')
    .optional()
    .describe('The API to call; unset: the one that `clickrelay start` started here'),
  API_KEY: z
    .string()
    .default('')
    .describe('Key of the API; empty: `clickrelay start` makes one and keeps it in `DATA_DIR`'),
  PERSON_KEY: z
    .string()
    .default('')
    .describe('As for the worker; empty: `clickrelay start` makes one and keeps it in `DATA_DIR`'),
  SPOOL_DIR: z.string().default('').describe('As for the receiver; empty: `DATA_DIR/spool`'),
  ADAPTERS: adapters.describe('As for the worker: `destinations apply` accepts destinations of these types'),
  CLICKRELAY_COMMAND: z.string().default('clickrelay').describe('How printed hints write this command'),
  CLICKRELAY_REDIS_SERVER: z
    .string()
    .default('')
    .describe('The redis-server or valkey-server that `clickrelay start` runs; empty: the one on PATH'),
});

export type Config = z.output<typeof config>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} */
export const readConfig = (environment: Environment): Config => read(config, environment);
