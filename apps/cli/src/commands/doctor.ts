import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DurabilityMode, DurabilityReport } from '@clickrelay/queue';
import { findRedisServer } from '@clickrelay/service/machine';
import { readKeptCredentials, usableCredentials } from '@clickrelay/service/settings';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import type { Config } from '../config.ts';
import { type RunFile, readRunFile, readSecrets } from '../data-dir.ts';
import { CommandError, EXIT } from '../errors.ts';
import { httpStatus } from '../http-status.ts';
import { isLocked } from '../lock.ts';
import { isLoopback } from '../loopback.ts';
import { paint } from '../paint.ts';
import { checkPortFree } from '../ports.ts';
import { describeSpool, readSpool } from '../spool.ts';
import { type AdoptOptions, adoptStore } from './adopt-store.ts';
import { bad, type Check, good } from './check.ts';
import { checkElsewhere } from './check-elsewhere.ts';
import { type Context, show } from './context.ts';

export const registerDoctor = (program: Command): Command =>
  addCommand(program, {
    usage: 'doctor',
    about: 'check everything that Clickrelay needs, and say how to fix what is wrong',
    example: 'doctor',
    run: (_, options: AdoptOptions & { adopt?: true }, context) =>
      options.adopt ? adoptStore(options, context) : doctor(context),
  })
    .option('--adopt', 'take this Redis for ours, in place of one that is gone')
    .option('--yes', 'with --adopt: without asking');

/** Checks everything that Clickrelay needs. @returns the exit code: 1 if anything is wrong */
const doctor = async (context: Context): Promise<number> => {
  const { config } = context;
  // What runs on another machine has its files, ports and processes there: those of this one say nothing about it.
  const isElsewhere = config.API_URL !== undefined && !isLoopback(config.API_URL);
  const checks = isElsewhere
    ? [checkNode(), await checkApi(config), ...(await checkElsewhere(config))]
    : await checkHere(context);
  const sick = checks.filter(({ ok }) => ok === false);
  show(context, { ok: sick.length === 0, checks }, () =>
    [
      ...checks.map(({ name, ok, found, mend }) => {
        const first = `${judged(ok)}  ${name.padEnd(12)} ${found}`;
        return mend === undefined ? first : `${first}\n${' '.repeat(20)}-> ${mend}`;
      }),
      '',
      sick.length === 0 ? 'everything is fine' : `${sick.length} of ${checks.length} checks failed`,
    ].join('\n'),
  );
  return sick.length === 0 ? 0 : EXIT.wrong;
};

const judged = (ok: Check['ok']): string => {
  if (ok === null) return paint('yellow', '?    ');
  return ok ? paint('green', 'ok   ') : paint('red', 'WRONG');
};

const checkHere = async ({ config, environment }: Context): Promise<Check[]> => {
  const dataDir = resolve(config.DATA_DIR);
  const run = isLocked(dataDir) ? readRunFile(dataDir) : undefined;
  // The other parts may run on other machines.
  const runsHere = (role: string) => run === undefined || run.roles.includes(role);

  const checks: Check[] = [checkNode(), await checkDataDir(dataDir), checkCredentials(config, dataDir)];
  checks.push(...(await checkRedis(config, run, environment['DURABILITY'])));
  if (runsHere('receiver')) {
    const url = run?.receiverUrl ?? `http://127.0.0.1:${config.PORT}`;
    const answer = await httpStatus(`${url}/readyz`);
    if (answer !== undefined) checks.push(checkReceiver(url, answer), ...checkSpool(answer));
    else checks.push(notRunning('receiver', config), await checkPort('PORT', config.HOST, config.PORT));
  }
  if (runsHere('api') || config.API_URL !== undefined) checks.push(await checkApi(config));
  if (config.PUBLIC_URL?.startsWith('http:')) {
    checks.push(bad('public URL', config.PUBLIC_URL, 'Clickatell calls https only: PUBLIC_URL=https://…'));
  }
  return checks;
};
const checkNode = (): Check => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return (major === 24 && minor >= 11) || major >= 26
    ? good('node', process.version)
    : bad('node', process.version, 'install Node.js 24.11 or later, or 26');
};

const checkDataDir = async (dataDir: string): Promise<Check> => {
  try {
    const { mode } = await stat(dataDir);
    return (mode & 0o077) === 0
      ? good('data', dataDir)
      : bad('data', `${dataDir} can be read by other users`, `chmod 700 '${dataDir}'`);
  } catch {
    return good('data', `${dataDir} will be made by the first start`);
  }
};

const checkCredentials = (config: Config, dataDir: string): Check => {
  const kept = readSecrets(dataDir);
  const auth = config.CALLBACK_AUTH || kept.callbackAuth;
  if (auth === undefined) return good('credentials', 'will be made by the first start');
  const credentials = usableCredentials(auth, readKeptCredentials(dataDir));
  if (credentials.some(({ kind }) => kind === 'none')) {
    return bad(
      'credentials',
      'CALLBACK_AUTH=none: anyone can post callbacks',
      'set CALLBACK_AUTH=query:<a long random secret>',
    );
  }
  if (credentials.length === 0) {
    return bad(
      'credentials',
      'CALLBACK_AUTH holds no valid credential',
      'write query:<secret>, basic:<user>:<password> or header:<name>:<secret>',
    );
  }
  const from = config.CALLBACK_AUTH === '' ? 'secrets.json' : 'CALLBACK_AUTH';
  return good('credentials', `${credentials.map(({ kind }) => kind).join(', ')} from ${from}`);
};

const checkRedis = async (
  config: Config,
  run: RunFile | undefined,
  durability: string | undefined,
): Promise<Check[]> => {
  // run.json has no password for a Redis that is not ours. The receiver checks that one.
  const redisUrl = config.REDIS_URL || (run?.pids['redis'] === undefined ? undefined : run.redisUrl);
  if (redisUrl === undefined) {
    if (run !== undefined) return [];
    try {
      return [good('redis', `start runs ${config.CLICKRELAY_REDIS_SERVER || findRedisServer()}`)];
    } catch (error) {
      return [bad('redis', (error as Error).message, 'or set REDIS_URL to a Redis elsewhere')];
    }
  }
  const { openStore, readDurability, readMemory } = await import('@clickrelay/queue');
  const store = await openStore({ redisUrl, role: 'producer' });
  try {
    const timeout = AbortSignal.timeout(3000);
    const late = new Promise<never>((_, reject) => {
      timeout.onabort = () => reject(new Error('no answer in 3 s'));
    });
    const mode = (durability || 'always') as DurabilityMode;
    const look = async (): Promise<Check[]> => {
      await store.ready();
      const checks = durabilityChecks(await readDurability(store, mode));
      const memory = await readMemory(store);
      return memory.share < MEMORY_FULL ? checks : [...checks, fullMemory(memory)];
    };
    return await Promise.race([look(), late]);
  } catch (error) {
    const trouble = store.explain(error);
    if (trouble !== undefined) return [bad('redis', trouble.cause, trouble.mend)];
    return [bad('redis', (error as Error).message, 'start Redis, or set REDIS_URL to where it is')];
  } finally {
    await store.close().catch(() => {});
  }
};

/** From this share on, the receiver refuses callbacks. */
const MEMORY_FULL = 0.9;

const fullMemory = ({ usedBytes, maxBytes }: { usedBytes: number; maxBytes: number }): Check => {
  const percent = Math.floor((100 * usedBytes) / maxBytes);
  return bad('redis', `${percent} % of its maxmemory is used`, `redis-cli config set maxmemory ${2 * maxBytes}`);
};

const durabilityChecks = ({ mode, durability, problems }: DurabilityReport): Check[] => {
  if (problems.length === 0) {
    return [good('redis', `answers; what it acknowledges is kept: ${mode === 'replicated' ? mode : durability}`)];
  }
  return problems.map(({ setting, value, mend }) => bad('redis', `${setting} is ${value}`, mend));
};

const checkReceiver = (url: string, { status, body }: { status: number; body: string }): Check => {
  if (status === 200) return good('receiver', `${url} takes callbacks`);
  try {
    const { error } = JSON.parse(body) as { error: { message: string } };
    return bad('receiver', `${url} is not ready: ${error.message}`, 'fix that; the receiver notices within 30 s');
  } catch {
    return bad('receiver', `the program at ${url} is not Clickrelay`, 'choose another port with PORT');
  }
};

const checkSpool = ({ body }: { body: string }): Check[] => {
  const spool = readSpool(body);
  if (spool === undefined) return [];
  const found = describeSpool(spool);
  if (spool.refusing !== null)
    return [bad('spool', found, 'bring Redis back, make room on the disk, or raise SPOOL_MAX_BYTES')];
  if (spool.setAside > 0) return [bad('spool', found, 'look at `set-aside` in its folder; the log says why')];
  if (spool.durability === 'spool')
    return [bad('spool', found, 'Redis takes no callbacks: bring it back; they wait on this disk')];
  return [good('spool', found)];
};

const notRunning = (name: string, { CLICKRELAY_COMMAND: command }: Config): Check =>
  bad(name, 'is not running here', `${command} start`);

const checkPort = async (variable: string, host: string, port: number): Promise<Check> => {
  try {
    await checkPortFree(variable, host, port);
    return good('port', `${port} is free`);
  } catch (error) {
    return bad('port', `${port} is taken`, (error as Error).message);
  }
};

const checkApi = async (config: Config): Promise<Check> => {
  try {
    const api = connectApi(config);
    await api.call('GET /v1/status');
    return good('api', `${api.url} answers, and takes our key`);
  } catch (error) {
    if (error instanceof CommandError && error.code === 'not_running') return notRunning('api', config);
    const code = error instanceof CommandError ? error.code : undefined;
    if (code === 'unauthorized') {
      return bad('api', (error as Error).message, 'the key is `apiKey` in secrets.json there, unless API_KEY was set');
    }
    if (code === 'not_found') return bad('api', (error as Error).message, 'set API_URL to where the API listens');
    return bad('api', (error as Error).message, 'see the log of the API');
  }
};
