import { CommandError } from './errors.ts';

/** What a shell tells of a program that SIGPIPE ended; Node ignores that signal. */
const BROKEN_PIPE = 141;

/**
 * Ends this command when its output cannot be written: quietly when nobody reads it any more (`… | head -1`), else
 * after `complain`.
 */
export const endWithOutput = (complain: (error: unknown) => number): void => {
  // Nobody can be told.
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
    process.exit(complain(new CommandError('output', `the output cannot be written: ${error.message}`)));
  });
};

/** For `start`, which watches over others: it goes on without anybody who reads what it says. */
export const outliveOutput = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
};
