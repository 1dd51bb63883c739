import { join } from 'node:path';
import { type ProgramOptions, startProgram } from '@clickrelay/testkit';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command to its end. */
export const runCli = async (args: string[], env: Record<string, string> = {}): Promise<Outcome> => {
  const program = await startCli(args, env);
  const { code } = await program.exited;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
};

export const startCli = (args: string[], env: Record<string, string> = {}, options: Partial<ProgramOptions> = {}) =>
  startProgram({
    args: [join(import.meta.dirname, '../src/main.ts'), ...args],
    // Some versions of Node 24 print a warning when they run TypeScript.
    env: { NODE_NO_WARNINGS: '1', ...env },
    ...options,
  });
