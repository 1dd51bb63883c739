export interface DeadlineOptions {
  /** What a wait that has gone on for too long throws. */
  readonly error: () => Error;
  /** Aborted when nobody waits any more. */
  readonly signal?: AbortSignal;
}

/** Waits for so long and no longer. What was waited for may still happen: it is not undone. */
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
