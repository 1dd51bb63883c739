import { join } from 'node:path';
import { type ProgramOptions, startProgram } from '@clickrelay/testkit';
import { vi } from 'vitest';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

const main = join(import.meta.dirname, '../src/main.ts');
/** What `listenForStop` and others listen to. */
const HEARD = ['SIGTERM', 'SIGINT', 'disconnect'] as const;

/**
 * Runs the command to its end: in this process, because a new one costs a hundred times what a command does. For a
 * test of the process itself, and for `start`, there is `startCli`. One at a time: its environment is this process's.
 */
export const runCli = async (args: string[], env: Record<string, string> = {}): Promise<Outcome> => {
  if (isRunning) throw new Error('a command runs already; for two at once use startCli');
  isRunning = true;
  const { argv, exitCode } = process;
  const { PATH = '', HOME = '', ...others } = process.env;
  const heard = HEARD.map((name) => [name, new Set(process.listeners(name as 'SIGINT'))] as const);
  const outputs = [takeOutput(process.stdout), takeOutput(process.stderr)] as const;
  for (const name of Object.keys(others)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, main, ...args];
  process.exitCode = undefined;
  try {
    // As in a process of its own, each of its modules is new.
    vi.resetModules();
    await import('../src/main.ts');
    const [stdout, stderr] = outputs.map(({ text }) => text()) as [string, string];
    return { code: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    for (const { giveBack } of outputs) giveBack();
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, { PATH, HOME, ...others });
    Object.assign(process, { argv, exitCode });
    for (const [name, before] of heard) {
      for (const listener of process.listeners(name as 'SIGINT')) {
        if (!before.has(listener)) process.off(name, listener);
      }
    }
    isRunning = false;
  }
};
let isRunning = false;

/** Keeps what is written to a stream of this process, until it is given back. */
const takeOutput = (stream: NodeJS.WriteStream) => {
  const { write } = stream;
  const listeners = new Set(stream.listeners('error'));
  let text = '';
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += chunk.toString();
    const written = rest.at(-1);
    if (typeof written === 'function') written();
    return true;
  };
  const giveBack = (): void => {
    stream.write = write;
    for (const listener of stream.listeners('error') as (() => void)[]) {
      if (!listeners.has(listener)) stream.off('error', listener);
    }
  };
  return { text: () => text, giveBack };
};

export const startCli = (args: string[], env: Record<string, string> = {}, options: Partial<ProgramOptions> = {}) =>
  startProgram({
    args: [main, ...args],
    // Some versions of Node 24 print a warning when they run TypeScript.
    env: { NODE_NO_WARNINGS: '1', ...env },
    ...options,
  });
