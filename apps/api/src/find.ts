import { DESTINATION_ID, EVENT_ID, type Event, parseDeliveryId, personOf } from '@clickrelay/core';
import {
  listEvents,
  readDelivery,
  readDestination,
  readEvent,
  readEventsOfMessage,
  readQuarantined,
  readReplay,
  type Store,
} from '@clickrelay/queue';
import { z } from 'zod';
import { maskEvent } from './mask.ts';
import { operation } from './operation.ts';
import { event } from './schemas.ts';

const KINDS = ['event', 'delivery', 'message', 'destination', 'quarantined', 'replay'] as const;

/** What the text turned out to be. */
const RECOGNISED = [
  'event_id',
  'delivery_id',
  'quarantine_id',
  'replay_id',
  'destination_id',
  'message_id',
  'client_message_id',
  'phone_number',
  'short_code',
  'user_id',
  'sender_name',
] as const;

interface Hit {
  readonly kind: (typeof KINDS)[number];
  readonly id: string;
}

interface Found {
  readonly recognised: (typeof RECOGNISED)[number] | null;
  /** The keyed hash of a person. */
  readonly party: string | null;
  readonly hits: Hit[];
  readonly events: Event[];
  readonly complete: boolean;
}

/** The most events of one person in an answer. */
const MOST_EVENTS = 50;
/** How much of the log a search reads. People have no index: that would need one more entry for each event. */
const MOST_READ = 20_000;
const LONGEST_MS = 2_000;
const READ_AT_ONCE = 500;

/** What a person looks like, by what the text would be. */
const PEOPLE = [
  ['phone_number', /^\d{7,15}$/],
  ['short_code', /^\d{3,6}$/],
  ['user_id', /^[A-Z]{2}\.[A-Za-z0-9]{6,128}$/],
  ['sender_name', /^[\w .&+-]{3,11}$/],
] as const satisfies readonly [Recognised, RegExp][];

const NOTHING: Found = { recognised: null, party: null, hits: [], events: [], complete: true };

type Recognised = NonNullable<Found['recognised']>;

const only = (recognised: Recognised, kind: Hit['kind'], id: string, present: unknown): Found => ({
  ...NOTHING,
  recognised,
  hits: present === undefined ? [] : [{ kind, id }],
});

const findById = async (store: Store, text: string): Promise<Found> => {
  if (EVENT_ID.test(text)) return only('event_id', 'event', text, await readEvent(store, text));
  if (parseDeliveryId(text) !== undefined) {
    return only('delivery_id', 'delivery', text, await readDelivery(store, text));
  }
  if (text.startsWith('qrt_')) return only('quarantine_id', 'quarantined', text, await readQuarantined(store, text));
  if (/^rpl_[0-9a-f]{16}$/.test(text)) return only('replay_id', 'replay', text, await readReplay(store, text));
  const hits: Hit[] = [];
  const names = new Set<Recognised>();
  if (DESTINATION_ID.test(text) && (await readDestination(store, text)) !== undefined) {
    hits.push({ kind: 'destination', id: text });
    names.add('destination_id');
  }
  const { events, isCut } = await readEventsOfMessage(store, text);
  const messageIds = new Set<string>();
  for (const { event: one } of events) {
    if (one.relatedMessageId === text || one.messageId === text) {
      messageIds.add(text);
      names.add('message_id');
    } else if (one.messageId !== null) {
      messageIds.add(one.messageId);
      names.add('client_message_id');
    }
  }
  for (const id of [...messageIds].slice(0, MOST_EVENTS)) hits.push({ kind: 'message', id });
  const [recognised = null] = names;
  return { ...NOTHING, recognised, hits, complete: !isCut && messageIds.size <= MOST_EVENTS };
};

const findByPerson = async (
  store: Store,
  { person, recognised }: { person: string; recognised: Recognised },
  signal: AbortSignal,
): Promise<Found> => {
  const events: Event[] = [];
  const party = store.people.partyOf(person);
  const isIts = (address: string | null): boolean => address !== null && personOf(address) === person;
  const told = (complete: boolean): Found => ({ recognised, party, hits: hitsOf(events), events, complete });
  const deadline = performance.now() + LONGEST_MS;
  let cursor: string | undefined;
  for (let read = 0; read < MOST_READ && performance.now() < deadline && !signal.aborted; read += READ_AT_ONCE) {
    const { items, next } = await listEvents(store, { limit: READ_AT_ONCE, cursor, signal });
    for (const { event: one } of items) {
      if (!isIts(one.from) && !isIts(one.to)) continue;
      events.push(one);
      if (events.length === MOST_EVENTS) return told(false);
    }
    if (next === null) return told(true);
    cursor = next;
  }
  return told(false);
};

const hitsOf = (events: readonly Event[]): Hit[] => events.map(({ id }) => ({ kind: 'event', id }));

export const findOperations = [
  operation({
    method: 'post',
    path: '/v1/find',
    summary: 'Find an id, or the events of a person',
    description: 'What an id belongs to, or the latest events of a person. A POST, to keep numbers out of URLs.',
    scopes: ['read'],
    body: z.object({
      text: z
        .string()
        .trim()
        .min(1)
        .max(1_000)
        .describe(
          'The id of an event, delivery, message, destination, replay or quarantined callback; your own id of a ' +
            'message; or a person: a phone number as people write it, a WhatsApp user id, a short code, a sender name',
        ),
    }),
    response: z
      .object({
        recognised: z.enum(RECOGNISED).nullable().describe('What the text is; null when nothing here matches it'),
        party: z
          .string()
          .nullable()
          .describe('For a person: the keyed hash, `pty_…`, which is safe in a URL: `GET /v1/events?party=`'),
        hits: z.array(z.object({ kind: z.enum(KINDS), id: z.string() })),
        events: z.array(event).describe('For a person: the latest events, newest first'),
        complete: z
          .boolean()
          .describe(`Whether these are all: a person is searched for in the latest ${MOST_READ} events, for 2 seconds`),
      })
      .meta({ id: 'Found' }),
    mask: ({ events, ...rest }) => ({ ...rest, events: events.map(maskEvent) }),
    run: async ({ body: { text } }, { store }, { signal }) => {
      const byId = await findById(store, text);
      if (byId.hits.length > 0 || byId.recognised !== null) return byId;
      const person = personOf(text);
      const [recognised] = PEOPLE.find(([, pattern]) => pattern.test(person)) ?? [];
      if (recognised === undefined) return byId;
      const found = await findByPerson(store, { person, recognised }, signal);
      // Any word may be the name of a sender: it is one only if somebody bears it.
      return recognised === 'sender_name' && found.hits.length === 0 ? { ...byId, complete: found.complete } : found;
    },
  }),
];
