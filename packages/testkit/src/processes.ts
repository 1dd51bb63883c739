import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from './wait-until.ts';

export interface ProgramOptions {
  /** The program's own arguments; the first is the script when `command` is left out. */
  args: string[];
  /** @default this process's Node */
  command?: string;
  /** The whole environment, except PATH, HOME and NODE_COMPILE_CACHE. @default {} */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Resolve when its output matches. */
  readyOutput?: RegExp;
  /** Resolve when a GET of this URL answers 200. */
  readyUrl?: string;
  /** Time limit for becoming ready, in ms. @default 60000 */
  timeoutMs?: number;
  /** Give it an IPC channel, as a supervisor does. @default false */
  ipc?: boolean;
}

export interface Program {
  readonly pid: number;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Messages received over IPC. */
  readonly messages: unknown[];
  stdout(): string;
  stderr(): string;
  /** Waits until stdout and stderr together match, for 60000 ms unless told otherwise. */
  waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** Closes the IPC channel, as happens when a supervisor dies. */
  disconnect(): void;
  /** Signals it and waits for its end; kills it after `graceMs` (default 30000). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Hundreds of tests start the same few programs: none compiles them anew. For `NODE_COMPILE_CACHE`. */
export const COMPILE_CACHE = join(tmpdir(), 'clickrelay-compile-cache');

const running = new Set<() => void>();
process.once('exit', () => {
  for (const kill of running) kill();
});

/**
 * Starts a program and waits until it is ready.
 * @throws {Error} with its output, when it ends too early or is not ready in time
 */
export const startProgram = async (options: ProgramOptions): Promise<Program> => {
  const { args, command = process.execPath, timeoutMs = 60_000 } = options;
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }) as ChildProcessByStdio<null, Readable, Readable>;
  let stdout = '';
  let stderr = '';
  const messages: unknown[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('message', (message) => messages.push(message));

  let ended = false;
  const kill = () => child.kill('SIGKILL');
  running.add(kill);
  const exited = (async () => {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    // Its last output may still be on the way. Do not wait for `close`, which never comes after a disconnect(), nor
    // without a limit, since a grandchild may keep the pipes open.
    await Promise.race([Promise.all([finished(child.stdout), finished(child.stderr)]), sleep(500)]);
    return { code, signal };
  })().finally(() => {
    ended = true;
    running.delete(kill);
  });
  exited.catch(() => {});

  const output = () => `${stdout}${stderr}`;
  const waitFor = async <T>(look: () => T | Promise<T>, what: string, ms: number): Promise<NonNullable<T>> => {
    try {
      const answer = await waitUntil(async () => (await look()) || (ended && 'ended'), { timeoutMs: ms, what });
      // Its last output may satisfy the look after all.
      const final = answer === 'ended' ? await look() : answer;
      if (final) return final as NonNullable<T>;
      throw new Error(`it ended before ${what}`);
    } catch (error) {
      throw new Error(`${command} ${args.join(' ')}: ${(error as Error).message}; its output:\n${output()}`, {
        cause: error,
      });
    }
  };

  const program: Program = {
    pid: child.pid as number,
    exited,
    messages,
    stdout: () => stdout,
    stderr: () => stderr,
    waitForOutput: (pattern, ms = 60_000) => waitFor(() => output().match(pattern), `${pattern}`, ms),
    disconnect: () => child.disconnect(),
    stop: async (signal = 'SIGTERM', graceMs = 30_000) => {
      if (!ended) child.kill(signal);
      const timer = setTimeout(kill, graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
  };

  try {
    const { readyOutput, readyUrl } = options;
    if (readyOutput !== undefined) await program.waitForOutput(readyOutput, timeoutMs);
    if (readyUrl !== undefined) {
      await waitFor(
        async () => (await fetch(readyUrl).catch(() => undefined))?.status === 200,
        `200 from ${readyUrl}`,
        timeoutMs,
      );
    }
  } catch (error) {
    kill();
    await exited.catch(() => {});
    throw error;
  }
  return program;
};
