import type { DeliverySelection, LeftOutReason } from './delivery-selection.ts';

/** One batch of what a selection chooses. */
export interface Chosen {
  readonly ids: readonly string[];
  /** When the events of those came, in ms since 1970, as far as that is known. */
  readonly receivedAtMs: readonly number[];
  readonly leftOut: readonly LeftOutReason[];
  /** Where to go on. */
  readonly cursor: string;
}

export interface ChooseOptions {
  /** `cursor` of what was chosen before. */
  readonly from?: string;
  /** The replay that chooses: it does not choose again what it has sent already. */
  readonly replayId?: string;
  /** Whether dead letters are chosen whose event is no longer in the log, unless something is asked of the event. */
  readonly takesGone?: boolean;
  /** How many are looked at in one go. @default 200 */
  readonly batch?: number;
}

export const BATCH = 200;

/** Gathers the deliveries of a batch that are chosen, and why the others are not. */
export const gatherChosen = ({ except = [] }: DeliverySelection) => {
  const excepted = new Set(except);
  const ids: string[] = [];
  const receivedAtMs: number[] = [];
  const leftOut: LeftOutReason[] = [];
  return {
    choose: (id: string, atMs: number | undefined): void => {
      if (excepted.has(id)) {
        leftOut.push('excepted');
        return;
      }
      ids.push(id);
      if (atMs !== undefined) receivedAtMs.push(atMs);
    },
    leaveOut: (reason: LeftOutReason): void => void leftOut.push(reason),
    done: (cursor: string): Chosen => ({ ids, receivedAtMs, leftOut, cursor }),
  };
};
