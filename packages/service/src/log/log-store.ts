import type { Logger } from 'pino';

/** Logs that the Redis of this process is not its own any more, and that it is again. */
export const logStore =
  (log: Pick<Logger, 'error' | 'info'>) =>
  (problem: { readonly value: string; readonly mend: string } | undefined): void => {
    if (problem === undefined) log.info('store.used');
    else log.error({ store: problem.value, mend: problem.mend }, 'store.lost');
  };
