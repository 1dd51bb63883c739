/** The callbacks of each signal, and the one listener that calls them. */
const listening = new WeakMap<AbortSignal, { readonly told: Set<() => void>; readonly tell: () => void }>();

/**
 * Calls back when the signal is aborted. All attempts of a process have the same signal, and adding or removing a
 * listener searches the list of all others; so thousands of attempts share one listener.
 * @returns removes the callback
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
