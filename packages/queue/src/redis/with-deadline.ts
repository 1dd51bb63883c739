export interface DeadlineOptions {
  /** Makes the error of a wait that takes too long. */
  readonly error: () => Error;
  /** Aborted when the caller waits no more. */
  readonly signal?: AbortSignal;
}

/** Waits for a promise, but no longer than this. The promise may still be fulfilled later: nothing is undone. */
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
