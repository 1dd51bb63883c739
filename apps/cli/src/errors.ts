/** What a command ends with; docs/commands.md lists them. */
export const EXIT = {
  /** Something is wrong, as the output says. */
  wrong: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** There is no such thing. */
  notFound: 3,
  /** The API refuses: the key, the state of things, or a limit. */
  refused: 4,
  /** The API, or its Redis, does not answer: try again later. */
  unreachable: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** An error that the person at the terminal can act on. It is printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly exitCode: ExitCode;
  /** What is wrong, place by place, as the API told it. */
  readonly issues: readonly Issue[];
  /** What the person can do with this command; not part of the API's shape. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: CommandErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? EXIT.wrong;
    this.issues = options.issues ?? [];
    this.hint = options.hint;
  }
}

interface CommandErrorOptions {
  readonly exitCode?: ExitCode;
  readonly issues?: readonly Issue[];
  readonly hint?: string;
  readonly cause?: unknown;
}

export const usageError = (message: string): CommandError =>
  new CommandError('usage', message, { exitCode: EXIT.usage });

/** Adds to the errors of these codes what the person can do here. */
export const hinting = async <Value>(step: Promise<Value>, hints: Readonly<Record<string, string>>): Promise<Value> => {
  try {
    return await step;
  } catch (error) {
    const hint = error instanceof CommandError ? hints[error.code] : undefined;
    if (!(error instanceof CommandError) || hint === undefined) throw error;
    const { code, message, exitCode, issues } = error;
    throw new CommandError(code, message, { exitCode, issues, hint, cause: error });
  }
};
