import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Starts a program under test and resolves when it reports over IPC, or at its `/readyz`, that it is ready. */
export const startServer = async (
  file: string,
  environment: Record<string, string>,
  readyUrl?: string,
): Promise<ChildProcess> => {
  const child = fork(file, { env: { ...process.env, ...environment }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  if (readyUrl === undefined) {
    await Promise.race([once(child, 'message'), once(child, 'exit').then(() => refuse(file))]);
    return child;
  }
  for (;;) {
    if (child.exitCode !== null) refuse(file);
    const response = await fetch(readyUrl).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) return child;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const refuse = (file: string): never => {
  throw new Error(`${file} ended before it was ready`);
};

export const stopServer = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

/** The CPU time of a process so far, in µs (Linux). */
export const cpuMicros = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  // utime and stime, in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
};
