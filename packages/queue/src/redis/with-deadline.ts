export interface DeadlineOptions {
  /** Creates the error to reject with when the time is over. */
  readonly error: () => Error;
  /** Abort it to stop waiting. */
  readonly signal?: AbortSignal;
}

/** Waits for a promise, for at most `ms`. The promise may still be fulfilled later: nothing is undone. */
export const withDeadline = <T>(promise: Promise<T>, ms: number, { error, signal }: DeadlineOptions): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('no longer waited for'));
    const timer = setTimeout(() => reject(error()), Math.max(ms, 0));
    signal?.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
  });
