import { parseDeliveryId } from '@clickrelay/core';
import { outcomeOfMark, type ReplayOutcome, replayMark } from '../deliveries/replay-outcomes.ts';
import { failedKey } from '../jobs/keys.ts';
import { type KeptState, stateOf } from '../log/delivery-states.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import type { DeliverySelection, LeftOutReason } from './delivery-selection.ts';
import { BATCH, type ChooseOptions, type Chosen, gatherChosen } from './gather-chosen.ts';
import { lookAtEvents } from './look-at-events.ts';

/** What is known about a delivery that was named. */
export interface KnownOfNamed {
  /** Undefined when there is no such delivery. */
  readonly state: KeptState | undefined;
  /** How far the replay that chooses is with it. */
  readonly replayed: ReplayOutcome | undefined;
  /** Undefined unless it is a dead letter. */
  readonly failedAtMs: number | undefined;
  /** Undefined when the event is gone. */
  readonly receivedAtMs: number | undefined;
}

type Asked = Pick<DeliverySelection, 'state' | 'until'> & Pick<ChooseOptions, 'takesGone'>;

/** @returns `sent_already` when the replay that chooses has sent it */
export const judgeNamed = (
  { state, replayed, failedAtMs, receivedAtMs }: KnownOfNamed,
  asked: Asked,
): 'chosen' | 'sent_already' | LeftOutReason => {
  const isGone = receivedAtMs === undefined;
  if (failedAtMs !== undefined) {
    if (asked.state === 'delivered') return 'dead_letter';
    if (isGone && !asked.takesGone) return 'event_gone';
    return failedAtMs >= (asked.until ?? Number.MAX_SAFE_INTEGER) ? 'failed_since' : 'chosen';
  }
  if (state === undefined) return isGone ? 'event_gone' : 'unknown';
  if (state === 'given_up') return 'removed';
  if (state === 'delivered') {
    if (asked.state === 'dead_letter') return 'delivered';
    if (isGone) return 'event_gone';
    return replayed === undefined ? 'chosen' : 'sent_already';
  }
  // The worker of the replay that chooses may have died before there was a job.
  if (replayed === 'sent') return 'chosen';
  // Also one that ended this very moment, and whose job is not put away yet.
  return 'already_pending';
};

/** Batches of the deliveries that are named. @param present ids of all destinations */
export async function* chooseNamed(
  store: Store,
  selection: DeliverySelection,
  deliveries: readonly string[],
  present: ReadonlySet<string>,
  { from, replayId, takesGone = false, batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  for (let at = Number(from || 0); at < deliveries.length; at += batch) {
    const gathered = gatherChosen(selection);
    const named: Named[] = [];
    for (const id of deliveries.slice(at, at + batch)) {
      const parsed = parseDeliveryId(id);
      if (parsed === undefined) gathered.leaveOut('unknown');
      else if (!present.has(parsed.destinationId)) gathered.leaveOut('destination_gone');
      else named.push({ id, ...parsed });
    }
    const known = await readKnown(store, named, selection, replayId);
    for (const [index, { id }] of named.entries()) {
      const one = known[index] as KnownOfNamed;
      const verdict = judgeNamed(one, { ...selection, takesGone });
      if (verdict === 'chosen') gathered.choose(id, one.receivedAtMs);
      else if (verdict !== 'sent_already') gathered.leaveOut(verdict);
    }
    yield gathered.done(String(at + batch));
  }
}

interface Named {
  readonly id: string;
  readonly eventId: string;
  readonly destinationId: string;
}

const readKnown = async (
  store: Store,
  named: readonly Named[],
  selection: DeliverySelection,
  replayId = '',
): Promise<KnownOfNamed[]> => {
  const events = await lookAtEvents(
    store,
    named.map(({ eventId }) => eventId),
    selection,
  );
  const replies = await sendAll(
    store,
    named.flatMap(({ eventId, destinationId }): RedisCommand[] => [
      ['hmget', eventKeys(eventId).deliveries, destinationId, replayMark(destinationId, replayId)],
      ['zscore', failedKey(destinationQueue(destinationId)), eventId],
    ]),
  );
  return named.map((_, index) => {
    const [letter = null, mark = null] = replies[2 * index] as (string | null)[];
    const failedAt = replies[2 * index + 1] as string | null;
    const event = events[index];
    return {
      state: stateOf(letter),
      replayed: outcomeOfMark(mark),
      failedAtMs: failedAt === null ? undefined : Number(failedAt),
      receivedAtMs: typeof event === 'number' ? event : undefined,
    };
  });
};
