/** An error that the person at the terminal can act on. It is printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  /** 1: something is wrong; 2: the command was called wrongly. */
  readonly exitCode: 1 | 2;

  constructor(code: string, message: string, options: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

export const usageError = (message: string): CommandError => new CommandError('usage', message, { exitCode: 2 });

/** Adds to the errors of these codes what the person can do here. */
export const hinting = async <Value>(step: Promise<Value>, hints: Readonly<Record<string, string>>): Promise<Value> => {
  try {
    return await step;
  } catch (error) {
    const hint = error instanceof CommandError ? hints[error.code] : undefined;
    if (!(error instanceof CommandError) || hint === undefined) throw error;
    const { code, message, exitCode } = error;
    throw new CommandError(code, `${message}\n${hint}`, { exitCode, cause: error });
  }
};
