import { deliveryId, type LoggedEvent, parseDeliveryId, toIso } from '@clickrelay/core';
import { type KeptState, stateOf } from '../log/delivery-states.ts';
import { decodeRecord } from '../log/read-event.ts';
import { eventKeys } from '../redis/names.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { type Attempt, attemptField, type DecodedAttempt, decodeAttempt } from './attempt.ts';

/** A dead letter that was given up is no delivery any more. */
export type DeliveryState = Exclude<KeptState, 'given_up'>;

/** One event to one destination. */
export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly destinationId: string;
  readonly state: DeliveryState;
  readonly attempts: Attempt[];
  /** When the next attempt is due; null when none is, or when it waits its turn. */
  readonly nextAttemptAt: string | null;
}

const deliveryStateOf = (letter: string | null | undefined): DeliveryState | undefined => {
  const state = stateOf(letter);
  return state === 'given_up' ? undefined : state;
};

const decodeDeliveries = (eventId: string, fields: Record<string, string>): Delivery[] => {
  const deliveries: Delivery[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const state = field.includes('#') ? undefined : deliveryStateOf(value);
    if (state === undefined) continue;
    const attempts = decodeAttempts(field, fields);
    const nextAtMs = state === 'pending' ? (attempts.at(-1)?.nextAtMs ?? null) : null;
    deliveries.push({
      id: deliveryId(eventId, field),
      eventId,
      destinationId: field,
      state,
      attempts: attempts.map(({ nextAtMs: _, ...attempt }, index) => ({ number: index + 1, ...attempt })),
      nextAttemptAt: nextAtMs === null ? null : toIso(nextAtMs),
    });
  }
  return deliveries.sort((a, b) => (a.destinationId < b.destinationId ? -1 : 1));
};

/** In the order of time. */
const decodeAttempts = (destinationId: string, fields: Record<string, string>): DecodedAttempt[] =>
  Object.entries(fields)
    .filter(([field]) => field.startsWith(`${destinationId}#`))
    .map(([field, text]) => ({ startedAtMs: Number(field.slice(destinationId.length + 1)), text }))
    .sort((a, b) => a.startedAtMs - b.startedAtMs)
    .map(({ startedAtMs, text }) => decodeAttempt(startedAtMs, text));

/** Where an event went, or is to go. */
export const listDeliveries = async (store: Store, eventId: string): Promise<Delivery[]> =>
  decodeDeliveries(eventId, await store.redis.hgetall(eventKeys(eventId).deliveries));

/** The same of many events, in their order. */
export const listDeliveriesOf = async (store: Store, eventIds: readonly string[]): Promise<Delivery[][]> => {
  const replies = await sendAll(
    store,
    eventIds.map((id) => ['hgetall', eventKeys(id).deliveries]),
  );
  return replies.map((reply, index) => decodeDeliveries(eventIds[index] as string, fieldsOf(reply)));
};

export const readDelivery = async (store: Store, id: string): Promise<Delivery | undefined> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return undefined;
  const deliveries = await listDeliveries(store, parsed.eventId);
  return deliveries.find(({ destinationId }) => destinationId === parsed.destinationId);
};

/** The attempt that began at this time. */
export const readAttempt = async (
  store: Store,
  eventId: string,
  destinationId: string,
  startedAtMs: number,
): Promise<DecodedAttempt | undefined> => {
  const text = await store.redis.hget(eventKeys(eventId).deliveries, attemptField(destinationId, startedAtMs));
  return text === null ? undefined : decodeAttempt(startedAtMs, text);
};

/** The event and the state of a queued delivery. It may have ended already: a job can outlive a crash. */
export const readForDelivery = async (
  store: Store,
  eventId: string,
  destinationId: string,
): Promise<{ logged: LoggedEvent | undefined; state: DeliveryState | undefined }> => {
  const keys = eventKeys(eventId);
  const replies = await sendAll(store, [
    ['get', keys.record],
    ['hget', keys.deliveries, destinationId],
  ]);
  const logged = await decodeRecord(store, eventId, replies[0] as string | null);
  return { logged, state: deliveryStateOf(replies[1] as string | null) };
};

const ENDS: readonly (KeptState | undefined)[] = ['delivered', 'given_up'];

/**
 * The destinations for which this event has ended: delivered or given up. A worker asks when it repeats a unit of work.
 * A dead letter has not: the worker may have ended before it made the job that keeps it.
 */
export const readEnded = async (store: Store, eventId: string): Promise<Set<string>> => {
  const all = await store.redis.hgetall(eventKeys(eventId).deliveries);
  return new Set(Object.keys(all).filter((field) => ENDS.includes(stateOf(all[field]))));
};
