export interface StopOptions {
  /** @default SIGTERM and SIGINT */
  readonly signals?: readonly NodeJS.Signals[];
  /** Called for a second signal. @default the process ends at once, as if nothing listened */
  readonly onSecond?: () => void;
}

export interface Stop {
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Resolves when the process is told to stop. */
  readonly told: Promise<void>;
}

/**
 * Listens from now on for the order to stop: a signal, or the end of `clickrelay start` if that started this process,
 * which must not outlive it. While `clickrelay start` lives, further signals change nothing: it decides how long its
 * parts get, and systemd signals the whole group at once, after which `clickrelay start` signals each part again.
 */
export const listenForStop = ({ signals = ['SIGTERM', 'SIGINT'], onSecond }: StopOptions = {}): Stop => {
  const stopping = new AbortController();
  const told = Promise.withResolvers<void>();
  const stop = (): void => {
    stopping.abort();
    told.resolve();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!stopping.signal.aborted) stop();
    else if (onSecond !== undefined) onSecond();
    else if (!process.connected) {
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    }
  };
  for (const signal of signals) process.on(signal, onSignal);
  if (process.connected) process.once('disconnect', stop);
  // The channel closed before anyone listened. (Undefined when there never was one.)
  else if (process.connected === false) stop();
  return { signal: stopping.signal, told: told.promise };
};
