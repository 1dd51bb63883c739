import { type Program, type ProgramOptions, startProgram } from '@clickrelay/testkit';

/** One process of Clickrelay, which can be killed, frozen, told to stop, and started again. */
export interface Part {
  readonly pid: number;
  /** Its output since its last start. */
  output(): string;
  /** @param isReady wait until it says it is ready. @default true */
  start(isReady?: boolean): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM. @returns its exit code; null when it had to be killed after a time */
  stop(withinMs?: number): Promise<number | null>;
  /** SIGSTOP: it stays, but does nothing. */
  freeze(): void;
  thaw(): void;
}

export const createPart = (options: ProgramOptions): Part & { env: Record<string, string> } => {
  let program: Program | undefined;
  const env: Record<string, string> = { ...(options.env as Record<string, string>) };
  const part = {
    env,
    get pid() {
      if (program === undefined) throw new Error('it has not been started');
      return program.pid;
    },
    output: () => `${program?.stdout() ?? ''}${program?.stderr() ?? ''}`,
    start: async (isReady = true) => {
      const { readyOutput: _output, readyUrl: _url, ...bare } = options;
      program = await startProgram({ ...(isReady ? options : bare), env });
    },
    kill: async () => {
      await program?.stop('SIGKILL');
    },
    stop: async (withinMs = 20_000) => (await program?.stop('SIGTERM', withinMs))?.code ?? null,
    freeze: () => {
      process.kill(part.pid, 'SIGSTOP');
    },
    thaw: () => {
      process.kill(part.pid, 'SIGCONT');
    },
  };
  return part;
};
