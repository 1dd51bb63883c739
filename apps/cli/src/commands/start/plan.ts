import { join } from 'node:path';
import { freePort } from '@clickrelay/service/machine';
import { misspeltVariables } from '@clickrelay/service/settings';
import type { Config, Environment } from '../../config.ts';
import { makeSecrets, readSecrets, type Secrets } from '../../data-dir.ts';
import { CommandError, usageError } from '../../errors.ts';

/** In the order in which they stop: first the part that takes callbacks, then the one that empties the queue. */
export const ROLES = ['receiver', 'worker', 'api'] as const;
export type RoleName = (typeof ROLES)[number];

/** What `start` decides before it starts anything. */
export interface Plan {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly ports: { readonly receiver: number; readonly api: number };
  /** Undefined when no receiver runs here. */
  readonly receiverUrl: string | undefined;
  readonly apiUrl: string | undefined;
}

export const makePlan = async (config: Config, roles: readonly RoleName[], dataDir: string): Promise<Plan> => {
  const secrets = credentials(config, roles, dataDir);
  const ports = {
    receiver: config.PORT === 0 ? await freePort() : config.PORT,
    api: config.API_PORT === 0 ? await freePort() : config.API_PORT,
  };
  return {
    config,
    roles,
    dataDir,
    secrets,
    ports,
    receiverUrl: roles.includes('receiver') ? httpUrl(config.HOST, ports.receiver) : undefined,
    apiUrl: roles.includes('api') ? httpUrl(config.API_HOST, ports.api) : undefined,
  };
};

/** The environment of the parts: ours, with the decisions of the plan. */
export const partEnvironment = (
  { config, secrets, ports, dataDir }: Plan,
  redisUrl: string,
  environment: Environment,
): NodeJS.ProcessEnv => ({
  ...environment,
  // Told once, by `start`.
  ...Object.fromEntries(misspeltVariables(environment).map(({ name }) => [name, undefined])),
  REDIS_URL: redisUrl,
  CALLBACK_AUTH: secrets.callbackAuth,
  API_KEY: secrets.apiKey,
  PERSON_KEY: secrets.personKey,
  HOST: config.HOST,
  PORT: String(ports.receiver),
  API_HOST: config.API_HOST,
  API_PORT: String(ports.api),
  DATA_DIR: dataDir,
  SPOOL_DIR: config.SPOOL_DIR || join(dataDir, 'spool'),
});

/** @throws {CommandError} `usage` when it names an unknown part */
export const parseRoles = (text: string | undefined): RoleName[] => {
  if (text === undefined) return [...ROLES];
  const wanted = text.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !(ROLES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw usageError(`--roles takes ${ROLES.join(', ')}, separated by commas; got ${unknown.join(', ') || 'none'}`);
  }
  return ROLES.filter((name) => wanted.includes(name));
};

/**
 * The credentials for the parts. Missing ones are made only when all parts run here: a receiver that runs alone must
 * have the same credentials as the other receivers, and only its operator knows those.
 */
const credentials = (config: Config, roles: readonly RoleName[], dataDir: string): Secrets => {
  const given: Secrets = {};
  const callbackAuth = config.CALLBACK_AUTH || readSecrets(dataDir).callbackAuth;
  if (callbackAuth !== undefined) given.callbackAuth = callbackAuth;
  if (config.API_KEY !== '') given.apiKey = config.API_KEY;
  if (config.PERSON_KEY !== '') given.personKey = config.PERSON_KEY;

  const wanted: (keyof Secrets)[] = [];
  if (config.REDIS_URL === '') wanted.push('redisPassword');
  if (ROLES.every((role) => roles.includes(role))) {
    if (given.callbackAuth === undefined) wanted.push('callbackAuth');
    if (given.apiKey === undefined) wanted.push('apiKey');
    if (given.personKey === undefined) wanted.push('personKey');
  } else {
    if (roles.includes('receiver') && given.callbackAuth === undefined) {
      throw new CommandError(
        'config',
        'CALLBACK_AUTH is empty; set at least one credential, such as CALLBACK_AUTH=query:<a long random secret>, ' +
          'or CALLBACK_AUTH=none to accept any callback',
      );
    }
    if (roles.includes('api') && given.apiKey === undefined) {
      throw new CommandError('config', 'API_KEY is empty; set it to a long random secret');
    }
    if ((roles.includes('worker') || roles.includes('api')) && given.personKey === undefined) {
      throw new CommandError(
        'config',
        'PERSON_KEY is empty; set it to a long random secret, the same for every worker and API',
      );
    }
  }
  const kept = makeSecrets(dataDir, wanted);
  return { ...Object.fromEntries(wanted.map((name) => [name, kept[name]])), ...given };
};

/** The URL for a program on this machine. */
const httpUrl = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

export const withoutCredentials = (redisUrl: string): string => redisUrl.replaceAll(/\/\/[^/@\s]*@/g, '//');
