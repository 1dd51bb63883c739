import {
  EVENT_ID,
  type Event,
  matchesEventType,
  STATUS_CLASSES,
  STATUS_TYPE,
  type StatusClass,
  wantsEvent,
} from '@clickrelay/core';
import {
  countEvents,
  followEvents,
  listDeliveries,
  listDeliveriesOf,
  listDestinations,
  listEvents,
  PARTY,
  readCallbackOf,
  readEvent,
  readRepeats,
  type Store,
} from '@clickrelay/queue';
import { openRoute } from '@clickrelay/routing';
import { z } from 'zod';
import type { Caller } from './authenticate.ts';
import { notFound } from './errors.ts';
import { couldSearchBy } from './filter-access.ts';
import { maskDelivery, maskEvent, maskRule } from './mask.ts';
import { datesOf, operation, pageOf, pageQuery, spanQuery } from './operation.ts';
import { delivery, deliverySummary, event } from './schemas.ts';

const typeList = z.string().transform((text) =>
  text
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== ''),
);

type Wants = ((event: Event) => boolean) | undefined;

const wantedBy = (chosen: {
  types: readonly string[] | undefined;
  channel: string | undefined;
  statusClass: StatusClass | undefined;
  isOfParty: Wants;
}): Wants => {
  const { types, channel, statusClass, isOfParty } = chosen;
  if ([types, channel, statusClass, isOfParty].every((part) => part === undefined)) return undefined;
  const wish = { events: ['*'], ...(channel !== undefined && { channels: [channel.trim().toLowerCase()] }) };
  return (one) =>
    types?.some((pattern) => matchesEventType(pattern, one.type)) !== false &&
    wantsEvent(wish, one) &&
    isOfParty?.(one) !== false &&
    (statusClass === undefined || (one.type === STATUS_TYPE && one.data['class'] === statusClass));
};

/** The keyed hash of a person, as `POST /v1/find` returns it. */
const ofParty = (store: Store, party: string | undefined): Wants => {
  if (party === undefined) return undefined;
  return ({ from, to }) => [from, to].some((person) => person !== null && store.people.partyOf(person) === party);
};

/** The state of each delivery of these events. */
export const summarize = async (store: Store, ids: readonly string[]) => {
  const all = await listDeliveriesOf(store, ids);
  return all.map((deliveries) =>
    deliveries.map(({ destinationId, state, attempts, nextAttemptAt }) => ({
      destinationId,
      state,
      attempts: attempts.length,
      nextAttemptAt,
    })),
  );
};

const SAMPLE = 500;

/** Exact without a filter, and when every event was looked at. */
const estimate = async (
  store: Store,
  { since, until, wants }: { since: Date | undefined; until: Date | undefined; wants: Wants },
): Promise<{ events: number; exact: boolean }> => {
  const events = await countEvents(store, { since, until });
  if (wants === undefined) return { events, exact: true };
  const { items, next } = await listEvents(store, { limit: SAMPLE, since, until });
  const wanted = items.filter((logged) => wants(logged.event)).length;
  if (next === null) return { events: wanted, exact: true };
  return { events: Math.round((events * wanted) / Math.max(items.length, 1)), exact: false };
};

/** For each destination that the event did not go to, the first rule that refuses it now. */
const listUnwanted = async (store: Store, caller: Caller, logged: Event, went: readonly string[]) => {
  const unwanted: { destinationId: string; rule: string; passed: boolean; detail: string }[] = [];
  for (const destination of await listDestinations(store)) {
    if (went.includes(destination.id) || couldSearchBy(caller, destination.filter)) continue;
    const reason = openRoute(destination)
      .explain(logged)
      .find(({ passed }) => !passed);
    if (reason !== undefined) unwanted.push({ destinationId: destination.id, ...reason });
    if (unwanted.length === MOST_UNWANTED) break;
  }
  return unwanted;
};

const MOST_UNWANTED = 100;

const listed = event
  .extend({ deliveries: z.array(deliverySummary).exactOptional().describe('With `include=deliveries`') })
  .meta({ id: 'ListedEvent' });

const NEVER = { count: 0, lastAt: null };

const callback = z
  .object({
    receivedAt: z.string(),
    lane: z.enum(['messages', 'statuses']),
    size: z.int().nullable().describe('The size of its body, in bytes'),
    committedTogether: z.int().nullable().describe('How many callbacks one write committed, this one included'),
    elements: z.int().nullable().describe('How many elements it has; null when it has very many'),
    others: z.array(z.string()).describe('The ids of the other new events of this callback'),
    complete: z.boolean().describe('Whether `others` has all of them: only the log around this event is searched'),
  })
  .meta({ id: 'CallbackOfEvent' });

export const eventOperations = [
  operation({
    method: 'get',
    path: '/v1/events',
    summary: 'List events, or follow them as they come in',
    description:
      'Newest first; with `order=asc` oldest first, to follow them. Where a filter chooses few of many, a page may be short or empty and have a `next`: go on with it.',
    scopes: ['read'],
    query: pageQuery.extend({
      order: z.enum(['desc', 'asc']).default('desc'),
      type: typeList.optional().describe('Event types or patterns (`mo*`), separated by commas'),
      channel: z.string().max(100).optional().describe('Only events of this channel; case does not matter'),
      class: z.enum(STATUS_CLASSES).optional().describe('Only status updates of this class'),
      party: z
        .string()
        .regex(PARTY, 'must be the keyed hash of a person, pty_…')
        .optional()
        .describe('Only events from or to one person, by the keyed hash, which `POST /v1/find` returns'),
      include: z.literal('deliveries').optional().describe('Add the state of its deliveries to each event'),
      count: z.literal('estimate').optional(),
      ...spanQuery('Logged'),
      after: z
        .string()
        .max(200)
        .optional()
        .describe('With `order=asc`: `next` of the previous page. Without it and without `since`, the list begins now'),
    }),
    response: pageOf(listed).extend({
      count: z
        .object({
          events: z.int(),
          exact: z.boolean().describe('False: extrapolated from the latest 500 events'),
        })
        .exactOptional()
        .describe('With `count=estimate`: how many events all pages hold'),
    }),
    mask: ({ items, ...rest }) => ({
      items: items.map(({ deliveries, ...one }) => ({ ...maskEvent(one), ...(deliveries && { deliveries }) })),
      ...rest,
    }),
    run: async ({ query }, { store }, { signal }) => {
      const { limit, order, cursor, after, type: types, channel, class: statusClass, count, party, include } = query;
      const wants = wantedBy({ types, channel, statusClass, isOfParty: ofParty(store, party) });
      const { since, until } = datesOf(query);
      const { items, next } =
        order === 'asc'
          ? await followEvents(store, { limit, after: after ?? cursor, wants, since, until, signal })
          : await listEvents(store, { limit, cursor, wants, since, until, signal });
      const events = items.map((logged) => logged.event);
      const summaries =
        include === undefined
          ? []
          : await summarize(
              store,
              events.map(({ id }) => id),
            );
      return {
        items: events.map((one, index) => ({ ...one, ...(summaries[index] && { deliveries: summaries[index] }) })),
        next,
        ...(count !== undefined && { count: await estimate(store, { since, until, wants }) }),
      };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/events/{id}',
    summary: 'Read one event and its deliveries',
    description: 'With the callback that brought it, and every attempt.',
    scopes: ['read'],
    params: z.object({ id: z.string() }),
    response: event
      .extend({
        callback: callback.nullable().describe('The callback that brought the event; null when that is not known'),
        repeats: z
          .object({ count: z.int(), lastAt: z.string().nullable() })
          .describe('How many repeats of it were recognised, and when the last one came'),
        deliveries: z.array(delivery),
        unwanted: z
          .array(z.object({ destinationId: z.string(), rule: z.string(), passed: z.boolean(), detail: z.string() }))
          .describe(
            `Destinations that it did not go to, each with the first rule that refuses it now; ${MOST_UNWANTED} ` +
              `at most`,
          ),
      })
      .meta({ id: 'EventWithDeliveries' }),
    mask: ({ callback: came, repeats, deliveries, unwanted, ...found }) => ({
      ...maskEvent(found),
      callback: came,
      repeats,
      deliveries: deliveries.map(maskDelivery),
      unwanted: unwanted.map(maskRule),
    }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { caller }) => {
      const logged = EVENT_ID.test(id) ? await readEvent(store, id) : undefined;
      if (logged === undefined) throw notFound('event', id);
      const [deliveries, came, [repeats = NEVER]] = await Promise.all([
        listDeliveries(store, id),
        readCallbackOf(store, id),
        readRepeats(store, [id]),
      ]);
      const went = deliveries.map(({ destinationId }) => destinationId);
      const unwanted = await listUnwanted(store, caller, logged.event, went);
      return { ...logged.event, callback: came ?? null, repeats, deliveries, unwanted };
    },
  }),
];
