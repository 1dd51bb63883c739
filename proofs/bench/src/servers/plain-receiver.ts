import Router from '@koa/router';
import { Queue } from 'bullmq';
import Koa from 'koa';
import { koaBody } from 'koa-body';
import { z } from 'zod';
import { connectionOf } from './connection.ts';

/*
 * The receiver that everyone writes: Koa, a router, koa-body, a zod schema of the documented fields, and one
 * `queue.add` with retries for each event before the answer. No authentication, no deduplication; it refuses whatever
 * does not fit the schema.
 */

const common = {
  channel: z.string(),
  messageId: z.string(),
  relatedMessageId: z.string().nullable(),
  relatedClientMessageId: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  timestamp: z.number().int(),
  charset: z.string().optional(),
  sms: z.object({ network: z.string() }).optional(),
  whatsapp: z.object({ profileName: z.string() }).optional(),
};
const file = z.object({
  contentType: z.string(),
  downloadUrl: z.url(),
  sha256Hash: z.string(),
  byteSize: z.number(),
  fileName: z.string(),
});
const callback = z.object({
  integrationId: z.string(),
  integrationName: z.string(),
  event: z.object({
    moText: z.array(z.object({ ...common, content: z.string() })).optional(),
    moMedia: z
      .array(
        z.object({
          ...common,
          contentType: z.string().optional(),
          content: z.string().optional(),
          caption: z.string().optional(),
          files: z.array(file).optional(),
        }),
      )
      .optional(),
    moLocation: z.array(z.object({ ...common, latitute: z.string(), longitude: z.string() })).optional(),
    moContacts: z.array(z.object({ ...common, contacts: z.array(z.looseObject({})) })).optional(),
    moButtonResponse: z
      .array(
        z.object({ ...common, selectedItem: z.object({ postbackData: z.string(), content: z.string().nullable() }) }),
      )
      .optional(),
    messageStatusUpdate: z
      .array(
        z.object({
          channel: z.string(),
          messageId: z.string(),
          timestamp: z.number().int(),
          statusCode: z.number().int(),
          status: z.string(),
          clientMessageId: z.string().nullable(),
        }),
      )
      .optional(),
  }),
});

const queue = new Queue('events', { connection: connectionOf(process.env['REDIS_URL'] as string) });
const app = new Koa();
const router = new Router();

app.use(koaBody());
router.post('/', async (ctx) => {
  const { integrationId, event } = callback.parse(ctx.request.body);
  let accepted = 0;
  for (const [type, elements] of Object.entries(event)) {
    for (const element of elements ?? []) {
      await queue.add(
        type,
        { integrationId, type, element },
        { attempts: 10, backoff: { type: 'exponential', delay: 5_000 }, removeOnComplete: 1_000 },
      );
      accepted++;
    }
  }
  ctx.body = { accepted };
});
app.use(router.routes()).use(router.allowedMethods());

app.listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.('ready'));
