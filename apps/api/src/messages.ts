import { describeMessage, STATUS_CLASSES } from '@clickrelay/core';
import { readEventsOfMessage, readRepeats, rebuildMessageIndex, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound } from './errors.ts';
import { summarize } from './events.ts';
import { maskEvent, maskStatus, maskWordOrNull } from './mask.ts';
import { type AnswerOf, operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';
import { deliverySummary, event } from './schemas.ts';

/** Of each sort; the last ones. More has no message that anybody wants to read about. */
const MOST_SHOWN = 500;
/** That one client message id leads to, on one page: each of them is read with all its events. */
const MOST_MESSAGES = 20;

const status = z
  .object({
    id: z.string().describe('Of the event'),
    code: z.number().nullable(),
    name: z.string().nullable(),
    class: z.enum(STATUS_CLASSES),
    final: z.boolean().describe('No other status follows'),
    occurredAt: z.string().nullable(),
    receivedAt: z.string(),
    late: z.boolean().describe('Received after a status that happened later; it takes nothing back'),
  })
  .meta({ id: 'MessageStatus' });

const message = z
  .object({
    messageId: z.string(),
    clientMessageId: z.string().nullable().describe('Your own id of it'),
    channel: z.string().nullable(),
    current: status
      .nullable()
      .describe('Where it stands: the first final status by its own time, else the furthest; null without a status'),
    statusCount: z.int(),
    statuses: z.array(status).describe(`By the time at which they happened; the last ${MOST_SHOWN}`),
    received: z.array(event).describe('The message itself, when a customer sent it'),
    replyCount: z.int(),
    replies: z.array(event).describe(`What refers to it, by the time at which it happened; the last ${MOST_SHOWN}`),
    became: z
      .array(z.object({ eventId: z.string(), repeats: z.int(), deliveries: z.array(deliverySummary) }))
      .describe('Of each event that is shown: how often Clickatell sent it again, and how far its deliveries are'),
    complete: z.boolean().describe('Whether every event of it was looked at; false when it has more than 10,000'),
  })
  .meta({ id: 'Message' });

const readMessage = async (store: Store, messageId: string) => {
  const { events, isCut } = await readEventsOfMessage(store, messageId);
  const told = describeMessage(
    messageId,
    events.map((logged) => logged.event),
  );
  const { statuses, received, replies } = told;
  if (statuses.length + received.length + replies.length === 0) return undefined;
  const shown = {
    statuses: statuses.slice(-MOST_SHOWN),
    received: received.slice(-MOST_SHOWN),
    replies: replies.slice(-MOST_SHOWN),
  };
  const ids = Object.values(shown).flatMap((some) => some.map(({ id }) => id));
  const [repeats, summaries] = await Promise.all([readRepeats(store, ids), summarize(store, ids)]);
  return {
    ...told,
    ...shown,
    statusCount: statuses.length,
    replyCount: replies.length,
    became: ids.map((eventId, index) => ({
      eventId,
      repeats: repeats[index]?.count ?? 0,
      deliveries: summaries[index] ?? [],
    })),
    complete: !isCut,
  };
};

type Told = AnswerOf<typeof message>;

const maskMessage = (told: Told): Told => {
  const { messageId, clientMessageId, channel, current, statusCount, statuses, replyCount, became, complete } = told;
  return {
    messageId,
    clientMessageId,
    channel: maskWordOrNull(channel),
    current: current === null ? null : maskStatus(current),
    statusCount,
    statuses: statuses.map(maskStatus),
    received: told.received.map(maskEvent),
    replyCount,
    replies: told.replies.map(maskEvent),
    became,
    complete,
  };
};

export const messageOperations = [
  operation({
    method: 'get',
    path: '/v1/messages/{messageId}',
    summary: 'Read what became of a message: its statuses, where it stands, and the replies to it',
    scopes: ['read'],
    params: z.object({ messageId: z.string().describe('`apiMessageId` of the send response, or the id of a reply') }),
    response: message,
    mask: maskMessage,
    errors: { 404: 'not_found' },
    run: async ({ params: { messageId } }, { store }) => {
      const found = await readMessage(store, messageId);
      if (found === undefined) throw notFound('message', messageId);
      return found;
    },
  }),
  operation({
    method: 'get',
    path: '/v1/messages',
    summary: 'Find messages by your own id of them',
    scopes: ['read'],
    query: pageQuery.extend({
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(MOST_MESSAGES)
        .default(MOST_MESSAGES)
        .describe('How many items at most'),
      cursor: z.string().max(1_000).optional().describe('`next` of the page before'),
      clientMessageId: z.string().min(1).max(1_000).describe('As you sent it. One id may have been given to several'),
    }),
    response: pageOf(message),
    mask: ({ items, next }) => ({ items: items.map(maskMessage), next }),
    run: async ({ query: { clientMessageId, ...page } }, { store }) => {
      const { events } = await readEventsOfMessage(store, clientMessageId);
      const ids = new Set<string>();
      for (const { event: named } of events) {
        if (named.clientMessageId === clientMessageId && named.messageId !== null) ids.add(named.messageId);
      }
      const { items, next } = pageThrough([...ids].sort(), (id) => id, page);
      const found = await Promise.all(items.map((id) => readMessage(store, id)));
      return { items: found.filter((one) => one !== undefined), next };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/messages/reindex',
    summary: 'Find messages by their events again, a part of the event log at a time, for when that index was lost',
    scopes: ['admin'],
    query: z.object({
      limit: z.coerce.number().int().min(1).max(5_000).default(2_000).describe('About how many events at once'),
      cursor: z.string().max(200).optional().describe('`next` of the part before'),
    }),
    response: z.object({
      events: z.int().describe('How many were looked at'),
      next: z.string().nullable().describe('`cursor` of the next part; null at the end'),
    }),
    run: ({ query: { limit, cursor } }, { store }) => rebuildMessageIndex(store, { limit, cursor }),
  }),
];
