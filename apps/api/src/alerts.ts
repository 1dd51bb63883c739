import { type Channel, completeChannel, type Sent } from '@clickrelay/alerts';
import { SEVERITIES, SUBJECT_KINDS } from '@clickrelay/health';
import type { Store } from '@clickrelay/queue';
import { MissingSecretError } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { channel, channelChanges, channelParams, declaration, describeChannel, openRecords } from './alert-channel.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';

/** Longer than one try takes. */
const TEST_DEADLINE_MS = 15_000;

const sentAlert = z
  .object({
    id: z.string().describe('`alt_…`: the `webhook-id` of a webhook, the same when it was sent again'),
    at: z.string(),
    channelId: z.string(),
    what: z.string().describe('`raised`, `risen` (worse now), `repeated`, `resolved` or `test`'),
    code: z.string().describe('The code of the condition'),
    severity: z.enum(SEVERITIES),
    subject: z.object({ kind: z.enum(SUBJECT_KINDS), id: z.string().nullable() }),
    status: z.int().nullable().describe('What the channel answered; null without an answer'),
    error: z
      .string()
      .nullable()
      .describe('Why it was not taken: the status, or the code of the error; null when it was'),
    tries: z.int(),
  })
  .meta({ id: 'SentAlert' });

/** @throws {RequestRefusedError} 404 `not_found` */
const findChannel = async (store: Store, id: string): Promise<{ found: Channel; shown: z.input<typeof channel> }> => {
  const { channels, failing } = await openRecords(store).read();
  const found = channels.find((one) => one.id === id);
  if (found === undefined) throw notFound('channel of alerts', id);
  return { found, shown: describeChannel(found, failing.get(id)) };
};

/** @throws {RequestRefusedError} 400 `invalid_request` */
const complete: typeof completeChannel = (id, declared, present) => {
  try {
    return completeChannel(id, declared, present);
  } catch (error) {
    if (!(error instanceof MissingSecretError)) throw error;
    throw new RequestRefusedError(400, 'invalid_request', 'the body of this request does not fit; see the issues', {
      issues: [{ path: error.path, message: error.message }],
    });
  }
};

/** What an answer means beyond its status. */
const noteOf = ({ type }: Channel, { error, word }: Sent): string | null => {
  if (error === null && type === 'teams') {
    return 'the flow began; Teams does not say whether it posted: look into the chat, and into the runs of the flow';
  }
  return word === null ? null : `it answered ${word}`;
};

export const alertOperations = [
  operation({
    method: 'get',
    path: '/v1/alerts',
    summary: 'List the last 500 alerts',
    description: 'What was told to whom, and what the channel answered. Newest first.',
    scopes: ['read'],
    query: pageQuery,
    response: pageOf(sentAlert),
    run: async ({ query }, { store }) => {
      const { items, next } = await openRecords(store).listSent(query);
      return { items: items as z.input<typeof sentAlert>[], next };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/alerts/channels',
    summary: 'List the channels of alerts',
    scopes: ['read'],
    query: pageQuery,
    response: pageOf(channel),
    run: async ({ query }, { store }) => {
      const { channels, failing } = await openRecords(store).read();
      const { items, next } = pageThrough(channels, ({ id }) => id, query);
      return { items: items.map((one) => describeChannel(one, failing.get(one.id))), next };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/alerts/channels/{id}',
    summary: 'Read one channel of alerts',
    scopes: ['read'],
    params: channelParams,
    response: channel,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => (await findChannel(store, id)).shown,
  }),
  operation({
    method: 'put',
    path: '/v1/alerts/channels/{id}',
    summary: 'Add or replace a channel of alerts',
    description:
      'A URL or secret that is left out or `(hidden)` is kept. A missing signing secret is generated and shown.',
    scopes: ['admin'],
    params: channelParams,
    body: declaration.meta({ id: 'AlertChannelDeclaration' }),
    response: channel
      .extend({ warnings: z.array(z.string()).describe('What is valid and will probably not work') })
      .meta({ id: 'DeclaredAlertChannel' }),
    run: async ({ params: { id }, body }, { store, alerts }, { audit }) => {
      let before: Channel | undefined;
      let generatedSecret: string | undefined;
      const put = await openRecords(store).change(id, (present) => {
        before = present;
        const completed = complete(id, body, present);
        generatedSecret = completed.generatedSecret;
        return completed.channel;
      });
      // The next thing to go wrong may be that Redis cannot be asked for it.
      await alerts.refresh();
      const changes = before === undefined ? undefined : channelChanges(before, put);
      if (changes === undefined) await audit('alert_channel.added', id, { type: put.type });
      else if (Object.keys(changes).length > 0) await audit('alert_channel.changed', id, { changes });
      const shown = { ...describeChannel(put, undefined), warnings: alerts.warningsOf(put) };
      return { ...shown, ...(generatedSecret !== undefined && { secret: generatedSecret }) };
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/alerts/channels/{id}',
    summary: 'Remove a channel of alerts',
    scopes: ['admin'],
    params: channelParams,
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      const removed = await openRecords(store).change(id, (present) => (present === undefined ? undefined : null));
      if (removed === undefined) throw notFound('channel of alerts', id);
      await audit('alert_channel.removed', id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/alerts/channels/{id}/test',
    summary: 'Send a test to a channel of alerts',
    description: 'Once, of type `clickrelay.test`. A channel that takes it is failing no more.',
    scopes: ['admin'],
    params: channelParams,
    deadlineMs: TEST_DEADLINE_MS,
    response: z
      .object({
        delivered: z.boolean().describe('Whether it answered 2xx'),
        status: z.int().nullable().describe('What it answered; null without an answer'),
        error: z.string().nullable().describe('The status, or the code of the error; null when it was taken'),
        note: z.string().nullable().describe('What the answer means beyond that'),
      })
      .meta({ id: 'AlertTestResult' }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store, alerts }, { audit }) => {
      const { found } = await findChannel(store, id);
      await audit('alert_channel.tested', id);
      const sent = await alerts.test(found);
      const { status, error } = sent;
      return { delivered: error === null, status, error, note: noteOf(found, sent) };
    },
  }),
];
