/** An error whose message tells the operator what to do. */
type ExplainedError = abstract new (...given: never[]) => Error;

/** Takes a step. If it fails with one of these errors, prints the message and ends the process with 1. */
export const orExit = async <Result>(
  step: () => Result | Promise<Result>,
  ...explained: readonly ExplainedError[]
): Promise<Result> => {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Error && explained.some((kind) => error instanceof kind))) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};
