import { QuarantineFullError } from '@clickrelay/core';
import type { SpoolEntry } from '../spool/record.ts';
import type { SpoolBatch } from '../spool/state.ts';

/** Where the entries of the spool go. */
export interface MoveTo {
  /** Resolves once the target takes writes; to false when the drain is to stop. */
  isOpen(): Promise<boolean>;
  /** Resolves when the entry is on stable storage there. Entries that are sent at the same time share writes. */
  send(entry: SpoolEntry): Promise<unknown>;
  /** Whether it takes others while it refuses this one. */
  takesOthers(than: SpoolEntry): Promise<boolean>;
  /** Keeps an entry out of the way of the others. */
  setAside(index: number, reason: string): Promise<void>;
  /** Waits before an entry is sent again. */
  pause(): Promise<unknown>;
}

/** How often Redis may refuse an entry while it takes others, before the entry is set aside. */
const MAX_REFUSALS = 3;

/**
 * Sends the entries of a batch until each is in Redis or set aside.
 * @returns false when it was told to stop before that
 */
export const moveBatch = async ({ entries }: SpoolBatch, to: MoveTo): Promise<boolean> => {
  const isRefused = async (index: number): Promise<boolean> =>
    (await errorOf(to.send(entries[index] as SpoolEntry))) !== undefined;

  let left = [...entries.keys()];
  for (let refusals = 0; refusals < MAX_REFUSALS; ) {
    if (!(await to.isOpen())) return false;
    left = (await Promise.all(left.map(async (index) => ((await isRefused(index)) ? [index] : [])))).flat();
    if (left.length === 0) return true;
    if (await to.takesOthers(entries[left[0] as number] as SpoolEntry)) refusals++;
    await to.pause();
  }
  // The cause is one of the entries, not Redis: sent alone, the others pass.
  for (const index of left) {
    for (let refusals = 0; ; ) {
      if (!(await to.isOpen())) return false;
      const entry = entries[index] as SpoolEntry;
      const error = await errorOf(to.send(entry));
      if (error === undefined) break;
      if (await to.takesOthers(entry)) refusals++;
      if (refusals >= MAX_REFUSALS || (refusals > 0 && error instanceof QuarantineFullError)) {
        await to.setAside(index, error.message);
        break;
      }
      await to.pause();
    }
  }
  return true;
};

export const errorOf = (promise: Promise<unknown>): Promise<Error | undefined> =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  );
