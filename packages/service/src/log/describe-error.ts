export interface ErrorFacts {
  readonly name: string;
  readonly code?: string;
  /** The first word of an error reply is its code: OOM, MISCONF, READONLY. */
  readonly redisCode?: string;
  readonly message?: string;
  /** The rules that settings break, without the values. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
  readonly frames?: readonly string[];
}

/**
 * The parts of an error that may be logged. An allow-list, because the message of an error that is not ours may quote
 * its input: Redis repeats the arguments of a command, and `JSON.parse` its text.
 */
export const describeError = (error: unknown): ErrorFacts => {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, issues } = error as { code?: unknown; issues?: unknown };
  const quotesNothing = [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);
  const redisCode = error.name === 'ReplyError' ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    ...(redisCode && { redisCode }),
    ...(quotesNothing && { message: error.message.slice(0, 200) }),
    // Recognized by its name, so that the log does not load zod.
    ...(error.name === 'ZodError' && Array.isArray(issues) && { issues: issues.map(ruleOf) }),
    frames: error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [],
  };
};

const ruleOf = ({ path, message }: { path: readonly PropertyKey[]; message: string }) => ({
  path: path.map(String).join('.'),
  message,
});

/** The same as fields of a log line, named so that they do not hide its own `name` and `code`. */
export const errorFields = (error: unknown): Readonly<Record<string, unknown>> => {
  const { name, code, message, ...rest } = describeError(error);
  return {
    errorName: name,
    ...(code !== undefined && { errorCode: code }),
    ...(message !== undefined && { reason: message }),
    ...rest,
  };
};
