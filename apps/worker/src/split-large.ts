import { InvalidCallbackError, type LoggedEvent } from '@clickrelay/core';
import { openThread, threadFile } from '@clickrelay/service/thread';
import type { SplitAnswer, SplitJob } from './split-thread.ts';

/** This many are parsed in memory at the same time; others wait. */
const MOST_AT_ONCE = 2;

export interface LargeSplitter {
  /**
   * The events of a callback, in its order, some at a time.
   * @throws {InvalidCallbackError} for a text that `parseCallback` would refuse
   * @throws {ThreadError}
   */
  split(pieces: readonly SharedArrayBuffer[], receivedAt: string): AsyncGenerator<readonly LoggedEvent[], void>;
  close(): Promise<void>;
}

/** Splits large callbacks on another thread: 16 MB would hold everything else up for a tenth of a second. */
export const createLargeSplitter = (): LargeSplitter => {
  const thread = openThread<SplitJob, SplitAnswer>(threadFile('split-thread', import.meta.url));
  let ids = 0;
  let open = 0;
  const waiting: (() => void)[] = [];

  const enter = async (): Promise<void> => {
    if (open < MOST_AT_ONCE) open++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) open--;
    else next();
  };

  return {
    split: async function* (pieces, receivedAt) {
      await enter();
      const id = ids++;
      let isLast = false;
      try {
        await thread.run({ step: 'begin', id, pieces, receivedAt });
        while (!isLast) {
          const answer = await thread.run({ step: 'next', id });
          if (answer.refused !== undefined) throw new InvalidCallbackError(answer.refused);
          isLast = answer.isLast;
          // Others may have its place now: delivering these events may take a while.
          if (isLast) leave();
          yield answer.events;
        }
      } finally {
        if (!isLast) {
          leave();
          await thread.run({ step: 'end', id }).catch(() => {});
        }
      }
    },
    close: () => thread.close(),
  };
};
