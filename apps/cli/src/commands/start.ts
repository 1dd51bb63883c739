import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import { callbackUrls, readCallbackAuth } from '@clickrelay/service/settings';
import { type Config, type Environment, readConfig } from '../config.ts';
import {
  makeDataDir,
  makeSecrets,
  type RunFile,
  readRunFile,
  removeRunFile,
  type Secrets,
  writeRunFile,
} from '../data-dir.ts';
import { CommandError, usageError } from '../errors.ts';
import { httpStatus } from '../http-status.ts';
import { lockDataDir } from '../lock.ts';
import { logFile, logsToFile, logsToStderr } from '../logs.ts';
import { type OwnRedis, startOwnRedis } from '../own-redis.ts';
import { checkPortFree } from '../ports.ts';
import { type Role, startRole } from '../role.ts';
import { screen } from '../screen.ts';

/** In the order in which they are stopped: what takes callbacks in first, what empties the queue after it. */
const ROLES = ['receiver', 'worker', 'api'] as const;
type RoleName = (typeof ROLES)[number];

/** Longer than a delivery may take (15 s). */
const GRACE_MS = 20_000;

export interface StartOptions {
  /** Comma-separated; default all. */
  roles?: string;
  json?: boolean;
}

export interface StartContext {
  environment: Environment;
  version: string;
  /** Paths of the programs. @default those of this checkout */
  programs?: Record<RoleName, string>;
}

/** Runs Clickrelay, or some parts of it, until a signal says stop. Resolves with the exit code. */
export const start = async (options: StartOptions, context: StartContext): Promise<number> => {
  const config = readConfig(context.environment);
  const roles = parseRoles(options.roles);
  const dataDir = makeDataDir(config.DATA_DIR);
  const forPeople = process.stderr.isTTY === true;
  const say = forPeople ? sayToPeople : sayAsJson;

  const unlock = await lockDataDir(dataDir);
  if (unlock === undefined) {
    const run = readRunFile(dataDir);
    const where = [run?.receiverUrl, run?.apiUrl].filter((url) => url !== undefined).join(' and ');
    throw new CommandError(
      'already_running',
      `clickrelay runs already with DATA_DIR ${dataDir} (pid ${run?.pid}${where === '' ? '' : `, at ${where}`}); stop it first, or give this one another DATA_DIR`,
    );
  }

  const signals = listenForSignals();
  const running: Role[] = [];
  let ownRedis: OwnRedis | undefined;
  signals.onSecond(() => {
    say('told to stop twice: ending everything now');
    for (const role of running) role.kill();
    if (ownRedis !== undefined) process.kill(ownRedis.pid, 'SIGKILL');
    removeRunFile(dataDir);
    process.exit(1);
  });

  try {
    const secrets = credentials(config, roles, dataDir);
    const ports = {
      receiver: config.PORT === 0 ? await freePort() : config.PORT,
      api: config.API_PORT === 0 ? await freePort() : config.API_PORT,
    };
    await waitForPorts(config, roles, ports, readRunFile(dataDir), say);

    const run: RunFile = { pid: process.pid, startedAt: new Date().toISOString(), roles, redisUrl: '', pids: {} };
    const notePid = (name: string) => (pid: number) => {
      run.pids[name] = pid;
      writeRunFile(dataDir, run);
    };
    if (forPeople) say(`starting ${roles.join(', ')}`);
    if (config.REDIS_URL === '') {
      if (roles.length < ROLES.length) say('REDIS_URL is not set: these parts share a Redis with no other machine');
      ownRedis = await startOwnRedis({
        dataDir,
        password: secrets.redisPassword as string,
        program: config.CLICKRELAY_REDIS_SERVER,
        say,
        onPid: notePid('redis'),
      });
    }
    run.redisUrl = ownRedis?.url ?? withoutCredentials(config.REDIS_URL);
    const receiverUrl = roles.includes('receiver') ? httpUrl(config.HOST, ports.receiver) : undefined;
    const apiUrl = roles.includes('api') ? httpUrl(config.API_HOST, ports.api) : undefined;
    if (receiverUrl !== undefined) run.receiverUrl = receiverUrl;
    if (apiUrl !== undefined) run.apiUrl = apiUrl;
    writeRunFile(dataDir, run);

    const env = {
      ...context.environment,
      REDIS_URL: ownRedis?.url ?? config.REDIS_URL,
      CALLBACK_AUTH: secrets.callbackAuth,
      API_KEY: secrets.apiKey,
      HOST: config.HOST,
      PORT: String(ports.receiver),
      API_HOST: config.API_HOST,
      API_PORT: String(ports.api),
      DATA_DIR: dataDir,
      SPOOL_DIR: config.SPOOL_DIR || join(dataDir, 'spool'),
    };
    const programs = context.programs ?? installedPrograms();
    const logs = forPeople ? logsToFile(dataDir, (line) => process.stderr.write(`${line}\n`)) : logsToStderr;
    const isReady = readiness(receiverUrl, apiUrl, say);
    for (const name of roles) {
      const options = { program: programs[name], env, isReady: isReady[name], logs, say, onPid: notePid(name) };
      running.push(startRole({ name, ...options }));
    }

    const started = Promise.all(running.map((role) => role.ready)).then(() => 'started' as const);
    if ((await Promise.race([started, signals.first])) === 'started') {
      const [credential] = readCallbackAuth(secrets.callbackAuth ?? '');
      const base = config.PUBLIC_URL ?? `http://localhost:${ports.receiver}`;
      if (options.json) {
        const { pids, redisUrl, ...facts } = run;
        const callbacks = receiverUrl && callbackUrls(base, config.CALLBACK_PATH_PREFIX, credential);
        process.stdout.write(`${JSON.stringify({ ready: true, ...facts, callbackUrls: callbacks, dataDir })}\n`);
      } else {
        const facts = {
          version: context.version,
          roles,
          receiverUrl,
          apiUrl,
          publicUrl: config.PUBLIC_URL,
          port: ports.receiver,
          pathPrefix: config.CALLBACK_PATH_PREFIX,
          credential,
          dataDir,
          apiKeyFile: config.API_KEY === '' ? join(dataDir, 'secrets.json') : undefined,
          redis: ownRedis ? `our own, 127.0.0.1:${ownRedis.port}` : run.redisUrl,
          logFile: forPeople ? logFile(dataDir) : undefined,
          command: config.CLICKRELAY_COMMAND,
        };
        process.stdout.write(`\n${screen(facts)}`);
      }
      await signals.first;
    }
    return 0;
  } finally {
    if (running.length > 0) say('stopping');
    for (const role of running) await role.stop(GRACE_MS);
    await ownRedis?.stop();
    removeRunFile(dataDir);
    unlock();
  }
};

const parseRoles = (text: string | undefined): RoleName[] => {
  if (text === undefined) return [...ROLES];
  const wanted = text.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !(ROLES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw usageError(`--roles takes ${ROLES.join(', ')}, separated by commas; got ${unknown.join(', ') || 'none'}`);
  }
  return ROLES.filter((name) => wanted.includes(name));
};

/**
 * The credentials that the parts get. Only when all of them run here are missing ones made: a receiver alone must have
 * the same ones as the others of its kind, which only its operator knows.
 */
const credentials = (config: Config, roles: RoleName[], dataDir: string): Secrets => {
  const given: Secrets = {};
  if (config.CALLBACK_AUTH !== '') given.callbackAuth = config.CALLBACK_AUTH;
  if (config.API_KEY !== '') given.apiKey = config.API_KEY;

  const wanted: (keyof Secrets)[] = [];
  if (config.REDIS_URL === '') wanted.push('redisPassword');
  if (ROLES.every((role) => roles.includes(role))) {
    if (given.callbackAuth === undefined) wanted.push('callbackAuth');
    if (given.apiKey === undefined) wanted.push('apiKey');
  } else {
    if (roles.includes('receiver') && given.callbackAuth === undefined) {
      throw new CommandError(
        'config',
        'CALLBACK_AUTH is empty; set at least one credential, such as CALLBACK_AUTH=query:<a long random secret>, or CALLBACK_AUTH=none to accept any callback',
      );
    }
    if (roles.includes('api') && given.apiKey === undefined) {
      throw new CommandError('config', 'API_KEY is empty; set it to a long random secret');
    }
  }
  const kept = makeSecrets(dataDir, wanted);
  return { ...Object.fromEntries(wanted.map((name) => [name, kept[name]])), ...given };
};

/** Busy ports end `start` at once, unless parts of an earlier run that was killed are still letting go of them. */
const waitForPorts = async (
  config: Config,
  roles: RoleName[],
  ports: { receiver: number; api: number },
  earlier: RunFile | undefined,
  say: (line: string) => void,
): Promise<void> => {
  const deadline = performance.now() + GRACE_MS + 5000;
  for (let told = false; ; ) {
    try {
      if (roles.includes('receiver')) await checkPortFree('PORT', config.HOST, ports.receiver);
      if (roles.includes('api')) await checkPortFree('API_PORT', config.API_HOST, ports.api);
      return;
    } catch (error) {
      const leftovers = Object.entries(earlier?.pids ?? {}).filter(([name, pid]) => name !== 'redis' && isAlive(pid));
      if (leftovers.length === 0 || performance.now() > deadline) throw error;
      if (!told) say(`waiting for the ${leftovers.map(([name]) => name).join(' and ')} of an earlier run to end`);
      told = true;
      await sleep(200);
    }
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** How to see that each part works; says once why the receiver does not when that takes long. */
const readiness = (
  receiverUrl: string | undefined,
  apiUrl: string | undefined,
  say: (line: string) => void,
): Record<RoleName, (messages: readonly unknown[]) => boolean | Promise<boolean>> => {
  const patientUntil = performance.now() + 3000;
  let told = '';
  return {
    receiver: async () => {
      const answer = await httpStatus(`${receiverUrl}/readyz`);
      if (answer?.status === 200) return true;
      if (performance.now() > patientUntil && answer !== undefined) {
        const reason = notReadyReason(answer.body);
        if (reason !== told) say(`the receiver is not ready yet: ${reason}`);
        told = reason;
      }
      return false;
    },
    worker: (messages) => messages.includes('ready'),
    api: async () => (await httpStatus(`${apiUrl}/healthz`))?.status === 200,
  };
};

const notReadyReason = (body: string): string => {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return body.slice(0, 200);
  }
};

const installedPrograms = (): Record<RoleName, string> => ({
  receiver: fileURLToPath(import.meta.resolve('@clickrelay/receiver/main')),
  worker: fileURLToPath(import.meta.resolve('@clickrelay/worker/main')),
  api: fileURLToPath(import.meta.resolve('@clickrelay/api/main')),
});

/** As a program on this machine reaches it. */
const httpUrl = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

const withoutCredentials = (redisUrl: string): string => redisUrl.replaceAll(/\/\/[^/@\s]*@/g, '//');

const listenForSignals = () => {
  const first = Promise.withResolvers<'stop'>();
  let count = 0;
  let second = () => process.exit(1);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (++count === 1) first.resolve('stop');
      else second();
    });
  }
  return {
    first: first.promise,
    onSecond: (action: () => never) => {
      second = action;
    },
  };
};

const sayToPeople = (line: string): void => {
  process.stderr.write(`clickrelay: ${line}\n`);
};

/** In the shape of the parts' own log lines. */
const sayAsJson = (line: string): void => {
  process.stderr.write(`${JSON.stringify({ level: 30, time: Date.now(), name: 'clickrelay', msg: line })}\n`);
};
