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
