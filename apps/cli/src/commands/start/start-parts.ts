import { fileURLToPath } from 'node:url';
import type { Environment } from '../../config.ts';
import { type RunFile, writeRunFile } from '../../data-dir.ts';
import type { Output } from './output.ts';
import { startOwnRedis } from './own-redis.ts';
import { type Plan, partEnvironment, ROLES, type RoleName, withoutCredentials } from './plan.ts';
import { readiness } from './readiness.ts';
import { startRole } from './role.ts';
import type { Parts } from './stop-parts.ts';

export interface StartContext {
  environment: Environment;
  version: string;
  /** Paths of the programs. @default those of this checkout */
  programs?: Record<RoleName, string>;
}

/**
 * Starts our own Redis, unless another is given, and then the parts, without waiting until they are ready.
 * @param parts gets each part as it starts, so that it can be stopped whatever happens
 * @returns the content of `run.json`, whose pids change when a part is started again
 */
export const startParts = async (
  plan: Plan,
  parts: Parts,
  { environment, programs = installedPrograms() }: StartContext,
  { say, openLogs }: Output,
): Promise<RunFile> => {
  const { config, roles, dataDir, secrets, receiverUrl, apiUrl } = plan;
  const run: RunFile = {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    roles: [...roles],
    redisUrl: '',
    pids: {},
  };
  const notePid = (name: string) => (pid: number) => {
    run.pids[name] = pid;
    try {
      writeRunFile(dataDir, run);
    } catch (error) {
      // A full disk keeps no part from being started again.
      say(`run.json cannot be written: ${(error as Error).message}`);
    }
  };
  if (config.REDIS_URL === '') {
    if (roles.length < ROLES.length) say('REDIS_URL is not set: these parts share a Redis with no other machine');
    parts.redis = await startOwnRedis({
      dataDir,
      password: secrets.redisPassword as string,
      program: config.CLICKRELAY_REDIS_SERVER,
      say,
      onPid: notePid('redis'),
    });
  }
  run.redisUrl = parts.redis?.url ?? withoutCredentials(config.REDIS_URL);
  if (receiverUrl !== undefined) run.receiverUrl = receiverUrl;
  if (apiUrl !== undefined) run.apiUrl = apiUrl;
  writeRunFile(dataDir, run);

  const env = partEnvironment(plan, parts.redis?.url ?? config.REDIS_URL, environment);
  const logs = openLogs();
  const isReady = readiness(plan, say);
  for (const name of roles) {
    const program = programs[name];
    parts.roles.push(startRole({ name, program, env, isReady: isReady[name], logs, say, onPid: notePid(name) }));
  }
  return run;
};

const installedPrograms = (): Record<RoleName, string> => ({
  receiver: fileURLToPath(import.meta.resolve('@clickrelay/receiver/main')),
  worker: fileURLToPath(import.meta.resolve('@clickrelay/worker/main')),
  api: fileURLToPath(import.meta.resolve('@clickrelay/api/main')),
});
