import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { createSender, type Envelope } from '@clickrelay/simulator';
import { type Program, startProgram } from '@clickrelay/testkit';
import { notePid } from './pids.ts';

const cliProgram = join(import.meta.dirname, '../../../apps/cli/dist/main.js');

export interface Relay {
  readonly apiUrl: string;
  /** Posts a callback to the receiver, as Clickatell does. */
  post(envelope: Envelope): Promise<void>;
  /** Runs `clickrelay <args> --json` and returns its output. */
  cli<T = unknown>(...args: string[]): Promise<T>;
  stop(): Promise<void>;
  /** Ends everything at once, Redis included, as a power cut does. */
  kill(): Promise<void>;
  /** Starts it again on the same data, ports and keys. */
  start(): Promise<void>;
}

/** Starts receiver, worker, API and their own Redis, with the command that people use. */
export const startRelay = async (folder: string, env: Record<string, string> = {}): Promise<Relay> => {
  const environment = {
    DATA_DIR: join(folder, 'relay'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    EGRESS_ALLOW: '127.0.0.0/8',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
    ...env,
  };
  let program: Program;
  let pids: number[] = [];
  let forgetPids: (() => void)[] = [];
  let callbackUrl: string;

  const start = async (): Promise<void> => {
    program = await startProgram({
      args: [cliProgram, 'start', '--json'],
      env: environment,
      readyOutput: /"ready":true.*\n/,
      timeoutMs: 60_000,
    });
    const ready = JSON.parse(
      program
        .stdout()
        .split('\n')
        .find((line) => line.includes('"ready":true')) as string,
    );
    const { callbackAuth } = JSON.parse(await readFile(join(environment.DATA_DIR, 'secrets.json'), 'utf8'));
    const token = encodeURIComponent(callbackAuth.replace(/^query:/, ''));
    callbackUrl = ready.callbackUrls.reply.replace('(hidden)', token);
    const run = JSON.parse(await readFile(join(environment.DATA_DIR, 'run.json'), 'utf8'));
    pids = [program.pid, ...Object.values<number>(run.pids)];
    forgetPids = pids.map(notePid);
  };
  const stop = async (): Promise<void> => {
    await program.stop('SIGTERM', 40_000);
    for (const forget of forgetPids) forget();
  };
  const kill = async (): Promise<void> => {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await program.exited;
    for (const forget of forgetPids) forget();
  };

  await start();
  return {
    apiUrl: `http://127.0.0.1:${environment.API_PORT}`,
    start,
    stop,
    kill,
    post: async (envelope) => {
      const sender = createSender({ url: callbackUrl });
      const result = await sender.send(envelope);
      await sender.close();
      if (!result.accepted) throw new Error(`the receiver answered ${result.status}: ${result.answer}`);
    },
    cli: async (...args) => {
      const command = await startProgram({ args: [cliProgram, ...args, '--json'], env: environment });
      const { code } = await command.exited;
      if (code !== 0) throw new Error(`clickrelay ${args.join(' ')} ended with ${code}: ${command.stderr()}`);
      return command.stdout() === '' ? undefined : JSON.parse(command.stdout());
    },
  };
};
