import { join } from 'node:path';
import {
  type CallbackCredential,
  callbackUrls,
  readKeptCredentials,
  usableCredentials,
} from '@clickrelay/service/settings';
import type { RunFile } from '../../data-dir.ts';
import { HIDDEN } from '../../format.ts';
import type { Output } from './output.ts';
import type { Plan } from './plan.ts';
import { screen } from './screen.ts';
import type { Parts } from './stop-parts.ts';

/**
 * The credential in the printed URLs, whole for a terminal only: what goes anywhere else ends in a journal or a log.
 */
export const shownCredential = (
  { secrets, dataDir }: Pick<Plan, 'secrets' | 'dataDir'>,
  { isTerminal }: { isTerminal: boolean },
): CallbackCredential | undefined => {
  const [credential] = usableCredentials(secrets.callbackAuth ?? '', readKeptCredentials(dataDir));
  return credential?.kind === 'query' && !isTerminal ? { ...credential, secret: HIDDEN } : credential;
};

/** Prints that everything is ready: one line of JSON, or a screen for people. */
export const announce = (
  plan: Plan,
  run: RunFile,
  { redis }: Parts,
  { logFile }: Output,
  { json, version }: { json: boolean; version: string },
): void => {
  const { config, roles, dataDir, ports, receiverUrl, apiUrl } = plan;
  const credential = shownCredential(plan, { isTerminal: process.stdout.isTTY === true });
  if (json) {
    const { pids, redisUrl, ...facts } = run;
    const base = config.PUBLIC_URL ?? `http://localhost:${ports.receiver}`;
    const callbacks = receiverUrl && callbackUrls(base, config.CALLBACK_PATH_PREFIX, credential);
    process.stdout.write(`${JSON.stringify({ ready: true, ...facts, callbackUrls: callbacks, dataDir })}\n`);
    return;
  }
  const facts = {
    version,
    roles,
    receiverUrl,
    apiUrl,
    publicUrl: config.PUBLIC_URL,
    port: ports.receiver,
    pathPrefix: config.CALLBACK_PATH_PREFIX,
    credential,
    dataDir,
    apiKeyFile: config.API_KEY === '' ? join(dataDir, 'secrets.json') : undefined,
    redis: redis ? `our own, 127.0.0.1:${redis.port}` : run.redisUrl,
    logFile,
    command: config.CLICKRELAY_COMMAND,
  };
  process.stdout.write(`\n${screen(facts)}`);
};
