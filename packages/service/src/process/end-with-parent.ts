/**
 * Ends this process at once if `clickrelay start`, which started it, goes away while it is still starting. A process
 * calls this before anything else, because nobody repeats a `disconnect` that came before there was a listener. Signals
 * need nothing of the kind: they end a process that does not listen.
 * @returns a function that hands over to `listenForStop` once the process has started
 */
export const endWithParent = (): (() => void) => {
  const end = (): void => process.exit(1);
  // Undefined without a parent that opened a channel, false when the channel closed while the modules were loading.
  if (process.connected === false) end();
  if (process.connected) process.once('disconnect', end);
  return () => process.off('disconnect', end);
};
