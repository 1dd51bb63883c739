import { listenForStop } from '@clickrelay/service/process';
import { describeMisspelt, misspeltVariables } from '@clickrelay/service/settings';
import { readConfig } from '../../config.ts';
import { keepCallbackAuth, makeDataDir, readRunFile, removeRunFile } from '../../data-dir.ts';
import { CommandError } from '../../errors.ts';
import { lockDataDir, lockHolder } from '../../lock.ts';
import { outliveOutput } from '../../output-errors.ts';
import { announce } from './announce.ts';
import { openOutput } from './output.ts';
import { makePlan, parseRoles } from './plan.ts';
import { type StartContext, startParts } from './start-parts.ts';
import { killParts, type Parts, stopParts } from './stop-parts.ts';
import { waitForPorts } from './wait-for-ports.ts';

export interface StartOptions {
  /** Comma-separated; default all. */
  roles?: string;
  json?: boolean;
}

/** Runs Clickrelay, or some of its parts, until a signal stops it. @returns the exit code */
export const start = async (options: StartOptions, context: StartContext): Promise<number> => {
  outliveOutput();
  const config = readConfig(context.environment);
  const roles = parseRoles(options.roles);
  const dataDir = makeDataDir(config.DATA_DIR);
  const output = openOutput(dataDir);
  const unlock = await lockOrRefuse(dataDir);

  const parts: Parts = { roles: [], redis: undefined };
  const stop = listenForStop({
    signals: ['SIGINT', 'SIGTERM', 'SIGHUP'],
    onSecond: () => {
      output.say('told to stop twice: killing everything now');
      killParts(parts);
      removeRunFile(dataDir);
      process.exit(1);
    },
  });

  try {
    for (const misspelt of misspeltVariables(context.environment)) output.say(describeMisspelt(misspelt));
    const plan = await makePlan(config, roles, dataDir);
    await waitForPorts(plan, output.say);
    if (output.isForPeople) output.say(`starting ${roles.join(', ')}`);
    const run = await startParts(plan, parts, context, output);
    const ready = Promise.all(parts.roles.map((role) => role.ready)).then(() => 'ready' as const);
    if ((await Promise.race([ready, stop.told])) === 'ready') {
      // Only now: the receiver has checked it. A start that accepts anyone says so each time.
      const { CALLBACK_AUTH: given } = config;
      if (roles.includes('receiver') && given !== '' && given !== 'none') keepCallbackAuth(dataDir, given);
      announce(plan, run, parts, output, { json: options.json ?? false, version: context.version });
      await stop.told;
    }
    return 0;
  } finally {
    if (parts.roles.length > 0) output.say('stopping');
    await stopParts(parts);
    removeRunFile(dataDir);
    unlock();
  }
};

/** Keeps DATA_DIR to this `start`. @throws {CommandError} `already_running` */
const lockOrRefuse = async (dataDir: string): Promise<() => void> => {
  const unlock = await lockDataDir(dataDir);
  if (unlock !== undefined) return unlock;
  const pid = lockHolder(dataDir);
  const run = readRunFile(dataDir);
  // Until it has started something, it is an earlier one that run.json tells of.
  const urls = run?.pid === pid ? [run?.receiverUrl, run?.apiUrl] : [];
  const where = urls.filter((url) => url !== undefined).join(' and ');
  throw new CommandError(
    'already_running',
    `clickrelay runs already with DATA_DIR ${dataDir} (pid ${pid}${where === '' ? '' : `, at ${where}`}); ` +
      'stop it first, or give this one another DATA_DIR',
  );
};
