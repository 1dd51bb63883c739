import { decodeListed, readHeads } from '../log/read-event.ts';
import { eventKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { takeTurns } from '../redis/take-turns.ts';
import { asksForEvent, type DeliverySelection, wantsOf } from './delivery-selection.ts';

/** When an event came, in ms since 1970, or why its deliveries are not chosen. */
export type EventSeen = number | 'unwanted' | 'event_gone';

/** Looks at each event: at its whole record only when the selection asks for something in it. */
export const lookAtEvents = (
  store: Store,
  eventIds: readonly string[],
  selection: DeliverySelection,
): Promise<EventSeen[]> =>
  asksForEvent(selection) ? matchEvents(store, eventIds, selection) : readArrivals(store, eventIds);

const readArrivals = async (store: Store, eventIds: readonly string[]): Promise<EventSeen[]> => {
  const heads = await readHeads(store, eventIds);
  return heads.map((head) => (head === undefined ? 'event_gone' : Date.parse(head.receivedAt)));
};

const matchEvents = async (
  store: Store,
  eventIds: readonly string[],
  selection: DeliverySelection,
): Promise<EventSeen[]> => {
  const wants = wantsOf(selection);
  const records = await sendAll(
    store,
    eventIds.map((id): RedisCommand => ['get', eventKeys(id).record]),
  );
  const nextTurn = takeTurns();
  const seen: EventSeen[] = [];
  for (const [index, id] of eventIds.entries()) {
    await nextTurn();
    const record = records[index] as string | null;
    const logged = record === null ? undefined : await decodeListed(store, { id, loggedAtMs: 0 }, record);
    if (logged === undefined) seen.push('event_gone');
    else seen.push(wants(logged) ? Date.parse(logged.event.receivedAt) : 'unwanted');
  }
  return seen;
};
