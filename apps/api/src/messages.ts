import { describeMessage, STATUS_CLASSES } from '@clickrelay/core';
import { readEventsOfMessage, readRepeats, rebuildMessageIndex, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound } from './errors.ts';
import { summarize } from './events.ts';
import { maskEvent, maskStatus, maskWordOrNull } from './mask.ts';
import { type AnswerOf, operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';
import { deliverySummary, event } from './schemas.ts';

/** How many statuses and replies are shown, the last ones. No message that people read about has more. */
const MOST_SHOWN = 500;
/** How many messages one page shows for a client message id: each is read with all its events. */
const MOST_MESSAGES = 20;

const status = z
  .object({
    id: z.string().describe('The id of the event'),
    code: z.number().nullable(),
    name: z.string().nullable(),
    class: z.enum(STATUS_CLASSES),
    final: z.boolean().describe('Whether no other status follows'),
    occurredAt: z.string().nullable(),
    receivedAt: z.string(),
    late: z
      .boolean()
      .describe('Whether it came after a status that happened later; a late status never replaces that one'),
  })
  .meta({ id: 'MessageStatus' });

const message = z
  .object({
    messageId: z.string(),
    clientMessageId: z.string().nullable().describe('Your own id of the message'),
    channel: z.string().nullable(),
    current: status
      .nullable()
      .describe('The current status: the first final one by its own time, else the furthest; null without a status'),
    statusCount: z.int(),
    statuses: z.array(status).describe(`In the order in which they happened; the last ${MOST_SHOWN}`),
    received: z.array(event).describe('The message itself, when a customer sent it'),
    replyCount: z.int(),
    replies: z
      .array(event)
      .describe(`Events that refer to the message, in the order in which they happened; the last ${MOST_SHOWN}`),
    became: z
      .array(z.object({ eventId: z.string(), repeats: z.int(), deliveries: z.array(deliverySummary) }))
      .describe('For each event shown: its repeats, and the state of its deliveries'),
    complete: z.boolean().describe('Whether all its events were looked at; false when there are more than 10,000'),
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
    summary: 'Read what became of a message',
    description: 'Its statuses, its current status, and the replies to it.',
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
    summary: 'Find messages by your own message id',
    scopes: ['read'],
    query: pageQuery.extend({
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(MOST_MESSAGES)
        .default(MOST_MESSAGES)
        .describe('How many messages at most'),
      cursor: z.string().max(1_000).optional().describe('`next` of the previous page'),
      clientMessageId: z.string().min(1).max(1_000).describe('As you sent it. Several messages may share one'),
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
    summary: 'Rebuild the message index',
    description: 'From the event log, a part at a time, in case it was lost.',
    scopes: ['admin'],
    query: z.object({
      limit: z.coerce.number().int().min(1).max(5_000).default(2_000).describe('About how many events to read'),
      cursor: z.string().max(200).optional().describe('`next` of the previous part'),
    }),
    response: z.object({
      events: z.int().describe('How many events were read'),
      next: z.string().nullable().describe('`cursor` of the next part; null at the end'),
    }),
    run: ({ query: { limit, cursor } }, { store }) => rebuildMessageIndex(store, { limit, cursor }),
  }),
];
