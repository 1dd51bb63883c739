import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { judgeReceiver, RULES } from '@clickrelay/health';
import { findRedisServer } from '@clickrelay/service/machine';
import { readKeptCredentials, usableCredentials } from '@clickrelay/service/settings';
import type { Config } from '../../config.ts';
import { readRunFile, readSecrets } from '../../data-dir.ts';
import { httpStatus } from '../../http-status.ts';
import { isLocked } from '../../lock.ts';
import { checkPortFree } from '../../ports.ts';
import { describeSpool, readReadiness } from '../../spool.ts';
import { type Findings, fine, together, wrong } from './finding.ts';

/** What only a program on this machine can see: its folders, ports, processes and programs. */
export const lookHere = async (config: Config): Promise<Findings> => {
  const dataDir = resolve(config.DATA_DIR);
  return together([
    lookAtNode(),
    await lookAtDataDir(dataDir),
    lookAtCredentials(config, dataDir),
    lookAtRedisProgram(config, dataDir),
    await lookAtReceiver(config, dataDir),
  ]);
};

export const lookAtNode = (): Findings => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if ((major === 24 && minor >= 11) || major >= 26) return fine(`node ${process.version}`);
  const sentence = `Node.js ${process.version} is too old`;
  return wrong({ code: 'node_too_old', sentence, mend: 'install Node.js 24.11 or later, or 26' });
};

const lookAtDataDir = async (dataDir: string): Promise<Findings> => {
  try {
    const { mode } = await stat(dataDir);
    if ((mode & 0o077) === 0) return fine(`data in ${dataDir}`);
    return wrong({
      code: 'data_dir_open',
      severity: 'warning',
      sentence: `other users can read DATA_DIR ${dataDir}, which holds secrets`,
      mend: 'close it',
      command: `chmod 700 '${dataDir}'`,
    });
  } catch {
    return fine(`data will be in ${dataDir}`);
  }
};

const lookAtCredentials = (config: Config, dataDir: string): Findings => {
  const auth = config.CALLBACK_AUTH || readSecrets(dataDir).callbackAuth;
  if (auth === undefined) return fine('credential: made by the first start');
  const credentials = usableCredentials(auth, readKeptCredentials(dataDir));
  const from = config.CALLBACK_AUTH === '' ? 'secrets.json' : 'CALLBACK_AUTH';
  if (credentials.some(({ kind }) => kind === 'none')) {
    const sentence = 'CALLBACK_AUTH=none: anybody who knows the address can post callbacks';
    const mend = 'set CALLBACK_AUTH=query:<a long random secret>, and start again';
    return wrong({ code: 'anyone_may_post', severity: 'warning', sentence, mend });
  }
  if (credentials.length > 0) return fine(`credential: ${credentials.map(({ kind }) => kind).join(', ')} from ${from}`);
  const mend = 'write query:<secret>, basic:<user>:<password> or header:<name>:<secret>';
  return wrong({ code: 'credential_invalid', sentence: 'CALLBACK_AUTH holds no valid credential', mend });
};

/** The Redis that `start` would run, if it runs one. */
const lookAtRedisProgram = (config: Config, dataDir: string): Findings => {
  if (config.REDIS_URL !== '' || runOf(dataDir) !== undefined) return fine();
  try {
    return fine(`Redis: ${config.CLICKRELAY_REDIS_SERVER || findRedisServer()}`);
  } catch (error) {
    const mend = 'install it, or set REDIS_URL to a Redis elsewhere';
    return wrong({ code: 'no_redis_server', sentence: (error as Error).message, mend });
  }
};

const runOf = (dataDir: string) => (isLocked(dataDir) ? readRunFile(dataDir) : undefined);

const lookAtReceiver = async (config: Config, dataDir: string): Promise<Findings> => {
  const run = runOf(dataDir);
  // The other parts may run on other machines.
  if (run !== undefined && !run.roles.includes('receiver')) return fine();
  const url = run?.receiverUrl ?? `http://127.0.0.1:${config.PORT}`;
  const answer = await httpStatus(`${url}/readyz`);
  if (answer === undefined) {
    return together([notRunning('receiver', config), await lookAtPort(config.HOST, config.PORT)]);
  }
  const readiness = readReadiness(answer.body);
  if (readiness === undefined) {
    const sentence = `the program at ${url} is not Clickrelay`;
    return wrong({ code: 'port_taken', sentence, mend: 'choose another port for the receiver with PORT' });
  }
  const { spool } = readiness;
  return {
    conditions: judgeReceiver({ rules: RULES, hostName: hostname(), readiness, nowMs: Date.now() }),
    fine: [
      ...(readiness.ready ? [`receiver at ${url} takes callbacks`] : []),
      ...(spool === undefined ? [] : [`spool: ${describeSpool(spool)}`]),
    ],
  };
};

export const notRunning = (what: string, { CLICKRELAY_COMMAND: command }: Config): Findings =>
  wrong({
    code: 'not_running',
    sentence: `the ${what} is not running here`,
    mend: 'start it',
    command: `${command} start`,
  });

const lookAtPort = async (host: string, port: number): Promise<Findings> => {
  try {
    await checkPortFree('PORT', host, port);
    return fine(`port ${port} is free`);
  } catch (error) {
    const mend = 'end the other program, or take another port';
    return wrong({ code: 'port_taken', sentence: (error as Error).message, mend });
  }
};
