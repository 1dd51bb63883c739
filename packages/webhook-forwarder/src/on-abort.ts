/** Of each signal, who is to be told, and the one listener that does. */
const listening = new WeakMap<AbortSignal, { readonly told: Set<() => void>; readonly tell: () => void }>();

/**
 * Calls back when the signal is aborted. All attempts of a process have one signal: to add or remove a listener, each
 * would look through those of the thousands beside it, so that they share a single one.
 * @returns takes it back
 */
export const onAbort = (signal: AbortSignal, call: () => void): (() => void) => {
  let shared = listening.get(signal);
  if (shared === undefined) {
    const told = new Set<() => void>();
    shared = {
      told,
      tell: () => {
        for (const each of told) each();
      },
    };
    listening.set(signal, shared);
  }
  const { told, tell } = shared;
  if (told.size === 0) signal.addEventListener('abort', tell);
  told.add(call);
  return () => {
    if (told.delete(call) && told.size === 0) signal.removeEventListener('abort', tell);
  };
};
