import { toIso } from '@clickrelay/core';
import type { Store } from '../redis/store.ts';
import { chooseDeliveries } from './choose-deliveries.ts';
import { asksForEvent, type DeliverySelection, LEFT_OUT_REASONS, type LeftOutReason } from './delivery-selection.ts';
import { BATCH, type ChooseOptions } from './gather-chosen.ts';

/** When nothing but the heads of records is read. */
const COUNT_BATCH = 1_000;
/** Counting stops when there are more than this. */
const MOST_COUNTED = 200_000;
/** Or when it takes longer than this, in ms: a filter may choose few of very many. */
const MAX_MS = 3_000;

export interface Counted {
  /** Undefined when they are too many to be counted in one go. */
  readonly matched: number | undefined;
  /** When the event of the oldest came; null when nothing is chosen, or they are too many. */
  readonly oldest: string | null;
  /** Of those that were looked at. */
  readonly leftOut: { readonly reason: LeftOutReason; readonly count: number }[];
}

/**
 * How many deliveries a selection chooses now, and what it leaves out.
 * @throws {InvalidFilterError}
 */
export const countSelected = async (
  store: Store,
  selection: DeliverySelection,
  options: Pick<ChooseOptions, 'takesGone'> = {},
): Promise<Counted> => {
  const batch = asksForEvent(selection) || selection.state === 'delivered' ? BATCH : COUNT_BATCH;
  const reasons = new Map<LeftOutReason, number>();
  const overAt = performance.now() + MAX_MS;
  let matched = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for await (const { ids, receivedAtMs, leftOut } of chooseDeliveries(store, selection, { ...options, batch })) {
    matched += ids.length;
    for (const reason of leftOut) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    for (const atMs of receivedAtMs) oldestMs = Math.min(oldestMs, atMs);
    if (matched > MOST_COUNTED || performance.now() >= overAt)
      return { matched: undefined, oldest: null, leftOut: inOrder(reasons) };
  }
  const oldest = Number.isFinite(oldestMs) ? toIso(oldestMs) : null;
  return { matched, oldest, leftOut: inOrder(reasons) };
};

const inOrder = (reasons: ReadonlyMap<LeftOutReason, number>): Counted['leftOut'] =>
  LEFT_OUT_REASONS.flatMap((reason) => {
    const count = reasons.get(reason);
    return count === undefined ? [] : [{ reason, count }];
  });
