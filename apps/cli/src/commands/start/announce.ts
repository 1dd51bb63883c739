import { join } from 'node:path';
import { callbackUrls, readKeptCredentials, usableCredentials } from '@clickrelay/service/settings';
import type { RunFile } from '../../data-dir.ts';
import type { Output } from './output.ts';
import type { Plan } from './plan.ts';
import { screen } from './screen.ts';
import type { Parts } from './stop-parts.ts';

/** Prints that everything is ready: one line of JSON, or a screen for people. */
export const announce = (
  plan: Plan,
  run: RunFile,
  { redis }: Parts,
  { logFile }: Output,
  { json, version }: { json: boolean; version: string },
): void => {
  const { config, roles, dataDir, secrets, ports, receiverUrl, apiUrl } = plan;
  const [credential] = usableCredentials(secrets.callbackAuth ?? '', readKeptCredentials(dataDir));
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
