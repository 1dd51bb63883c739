import { every } from '../redis/every.ts';

export interface RegularWrite {
  /** Writes what is there, for the last time. */
  stop(): Promise<void>;
}

/** Writes what was counted at this interval, one write at a time: while Redis is away the counts add up. */
export const writeRegularly = (
  write: () => Promise<void>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): RegularWrite => {
  let writing: Promise<void> = Promise.resolve();
  const writeOnce = (): Promise<void> => {
    writing = writing.then(write).catch(onError);
    return writing;
  };
  const timer = every(everyMs, writeOnce, onError);
  return {
    stop: () => {
      clearInterval(timer);
      return writeOnce();
    },
  };
};
