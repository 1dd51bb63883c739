import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../errors.ts';
import type { LogOutput } from './logs.ts';

export interface RoleOptions {
  /** receiver, worker or api. */
  name: string;
  /** Path of the program, which runs in a Node process of its own. */
  program: string;
  env: NodeJS.ProcessEnv;
  /** Whether it is ready; called repeatedly. `messages` are those that it sent over IPC. */
  isReady: (messages: readonly unknown[]) => boolean | Promise<boolean>;
  logs: LogOutput;
  say: (line: string) => void;
  /** Called with the pid after each start of a process. */
  onPid?: (pid: number) => void;
  /** The wait before the first restart, in ms; it doubles up to 64 times this. @default 250 */
  backoffMs?: number;
}

export interface Role {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it is ready for the first time; rejects if it ends before that. */
  readonly ready: Promise<void>;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
  /** Sends SIGKILL. */
  kill(): void;
}

/** Runs a part of Clickrelay as a process of its own, and starts it again whenever it ends. */
export const startRole = (options: RoleOptions): Role => {
  const { name, program, env, isReady, logs, say, onPid, backoffMs = 250 } = options;
  const stopping = new AbortController();

  const launch = () => {
    const output = logs.outputOf(name);
    const child = spawn(process.execPath, [program], {
      env,
      // The IPC channel tells it that we are gone, however we ended. In a session of its own, Ctrl-C on the terminal
      // reaches only us, and we stop the parts in order.
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
    });
    logs.follow(name, child.stdout, child.stderr);
    const messages: unknown[] = [];
    child.on('message', (message) => messages.push(message));
    const state = { child, messages, ended: false, startedAt: performance.now() };
    const end = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    }).finally(() => {
      state.ended = true;
    });
    if (child.pid !== undefined) onPid?.(child.pid);
    return Object.assign(state, { end });
  };

  let wasReady = false;
  let current = launch();

  const waitReady = async (): Promise<void> => {
    const first = current;
    while (!(await isReady(first.messages))) {
      if (first.ended) {
        throw new CommandError(
          'role',
          `the ${name} ended before it was ready (${await first.end}); its log lines above say why`,
        );
      }
      await Promise.race([sleep(50), first.end]);
    }
    wasReady = true;
  };

  const keepAlive = async (): Promise<void> => {
    for (let failures = 0; ; failures++) {
      const how = await current.end;
      // A part that was never ready is not started again: `ready` rejects, and a person has to fix it.
      if (stopping.signal.aborted || !wasReady) return;
      if (performance.now() - current.startedAt > 60_000) failures = 0;
      const delayMs = backoffMs * 2 ** Math.min(failures, 6);
      say(`${name} ended (${how}); starting it again in ${delayMs} ms`);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      current = launch();
    }
  };

  const ready = waitReady();
  const kept = keepAlive();
  return {
    name,
    get pid() {
      return current.child.pid ?? 0;
    },
    ready,
    stop: async (graceMs) => {
      stopping.abort();
      if (!current.ended) current.child.kill('SIGTERM');
      const force = setTimeout(() => current.child.kill('SIGKILL'), graceMs);
      await kept;
      clearTimeout(force);
    },
    kill: () => {
      stopping.abort();
      current.child.kill('SIGKILL');
    },
  };
};
