import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createSender,
  type Envelope,
  findRedisServer,
  freePort,
  type Program,
  startProgram,
} from '@clickrelay/testkit';
import { notePid } from './pids.ts';

const cliProgram = join(import.meta.dirname, '../../apps/cli/dist/main.js');

export interface Relay {
  readonly apiUrl: string;
  /** Posts a callback to the receiver, as Clickatell does. */
  post(envelope: Envelope): Promise<void>;
  /** A key that may lease from destinations with such names, and do nothing else. */
  createLeaseKey(destinations: string): Promise<string>;
  /** Runs `clickrelay <args> --json` and gives what it printed. */
  cli<T = unknown>(...args: string[]): Promise<T>;
  stop(): Promise<void>;
  /** Starts it again on the same data, ports and keys. */
  start(): Promise<void>;
}

/** Starts receiver, worker, API and a Redis of their own, by the command that people start them with. */
export async function startRelay(folder: string, env: Record<string, string> = {}): Promise<Relay> {
  const environment = {
    DATA_DIR: join(folder, 'relay'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    EGRESS_ALLOW: '127.0.0.0/8',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
    ...env,
  };
  let program: Program;
  let forgetPids: (() => void)[] = [];
  let callbackUrl: string;

  async function start(): Promise<void> {
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
    callbackUrl = ready.callbackUrls.reply;
    const { pids } = JSON.parse(await readFile(join(environment.DATA_DIR, 'run.json'), 'utf8'));
    forgetPids = [program.pid, ...Object.values<number>(pids)].map(notePid);
  }
  async function stop(): Promise<void> {
    await program.stop('SIGTERM', 40_000);
    for (const forget of forgetPids) forget();
  }

  await start();
  const { apiKey } = JSON.parse(await readFile(join(environment.DATA_DIR, 'secrets.json'), 'utf8'));
  const apiUrl = `http://127.0.0.1:${environment.API_PORT}`;
  return {
    apiUrl,
    start,
    stop,
    post: async (envelope) => {
      const sender = createSender({ url: callbackUrl });
      const result = await sender.send(envelope);
      await sender.close();
      if (!result.accepted) throw new Error(`the receiver answered ${result.status}: ${result.answer}`);
    },
    createLeaseKey: async (destinations) => {
      const response = await fetch(`${apiUrl}/v1/keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'n8n', scopes: ['lease'], destinations: [destinations] }),
      });
      const text = await response.text();
      if (response.status !== 201) throw new Error(`the API answered ${response.status} to a new key: ${text}`);
      return JSON.parse(text).key;
    },
    cli: async (...args) => {
      const command = await startProgram({ args: [cliProgram, ...args, '--json'], env: environment });
      const { code } = await command.exited;
      if (code !== 0) throw new Error(`clickrelay ${args.join(' ')} ended with ${code}: ${command.stderr()}`);
      return command.stdout() === '' ? undefined : JSON.parse(command.stdout());
    },
  };
}
