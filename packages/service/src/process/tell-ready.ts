/** Tells `clickrelay start` that this process is ready, if that started it. */
export const tellReady = (): void => {
  // If it went away, the message fails, and `disconnect` says so.
  process.send?.('ready', undefined, undefined, () => {});
};
