import { pino } from 'pino';

/** How long lines are dropped before stdout is tried again, in ms. */
const QUIET_MS = 1_000;

/**
 * Stdout for a log: its reader may go away and its disk may fill up, and the process goes on. Lines are dropped while
 * they cannot be written, and written again once they can. (Pino's own destination goes quiet for ever when the reader
 * leaves, and ends the process at any other error.)
 */
export const openStdout = (): { write(line: string): void; flushSync(): void } => {
  const open = () => {
    const stream = pino.destination({ dest: 1, sync: false });
    const { flushSync } = stream;
    // Called at the end of the process too, where an error would change its exit code.
    stream.flushSync = () => {
      try {
        flushSync.call(stream);
      } catch {}
    };
    stream.on('error', () => {
      if (stream !== current) return;
      current = undefined;
      stream.destroy();
      setTimeout(() => {
        current = open();
      }, QUIET_MS).unref();
    });
    return stream;
  };

  let current: ReturnType<typeof open> | undefined = open();
  return {
    write: (line) => {
      current?.write(line);
    },
    flushSync: () => current?.flushSync(),
  };
};
