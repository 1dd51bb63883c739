import { sleep } from 'n8n-workflow';

/** Resolves after a time, or as soon as the signal is aborted. Uses n8n's `sleep`, because n8n forbids other timers. */
export const pause = async (ms: number, signal?: AbortSignal): Promise<void> => {
  if (signal === undefined) return await sleep(ms);
  if (signal.aborted) return;
  const aborted = deferred();
  signal.addEventListener('abort', aborted.resolve, { once: true });
  // Where n8n's `sleep` ignores the signal, its timer runs on, but nobody waits for it.
  await Promise.race([sleep(ms, signal).catch(() => undefined), aborted.promise]);
  signal.removeEventListener('abort', aborted.resolve);
};

/** A promise and its `resolve`. */
export const deferred = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};
