/** In ms. What may go on at a stretch before other work of this process gets a turn. */
const LONGEST_STRETCH_MS = 20;

/**
 * Lets other work of this process go on while many things are looked at, one after the other: a filter may take 2 ms for
 * each event. Call what is returned between two of them.
 */
export const takeTurns = (): (() => Promise<void> | undefined) => {
  let since = performance.now();
  return () => {
    if (performance.now() - since < LONGEST_STRETCH_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now();
        resolve();
      }),
    );
  };
};
