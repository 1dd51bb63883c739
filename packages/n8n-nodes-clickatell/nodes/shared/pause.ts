import { sleep } from 'n8n-workflow';

/** Resolves after a time, or as soon as the signal is aborted. n8n allows no timers but its own. */
export const pause = async (ms: number, signal?: AbortSignal): Promise<void> => {
  if (signal === undefined) return await sleep(ms);
  if (signal.aborted) return;
  const aborted = deferred();
  signal.addEventListener('abort', aborted.resolve, { once: true });
  // An n8n whose `sleep` takes no signal leaves its timer running; nobody waits for it.
  await Promise.race([sleep(ms, signal).catch(() => undefined), aborted.promise]);
  signal.removeEventListener('abort', aborted.resolve);
};

/** A promise and what resolves it. */
export const deferred = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};
