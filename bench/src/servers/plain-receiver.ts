import { Queue } from 'bullmq';
import Koa from 'koa';
import { koaBody } from 'koa-body';
import { z } from 'zod';
import { connectionOf } from './connection.ts';

/* What everyone writes: Koa, koa-body, a zod schema, and one `queue.add` for each event before the answer. */

const callback = z.object({
  integrationId: z.string(),
  integrationName: z.string(),
  event: z.record(z.string(), z.array(z.looseObject({ channel: z.string(), messageId: z.string(), timestamp: z.number() }))),
});

const queue = new Queue('events', { connection: connectionOf(process.env['REDIS_URL'] as string) });
const app = new Koa();

app.use(koaBody());
app.use(async (ctx) => {
  const { event } = callback.parse(ctx.request.body);
  let accepted = 0;
  for (const [type, elements] of Object.entries(event)) {
    for (const element of elements) {
      await queue.add(type, element, { attempts: 10, removeOnComplete: true });
      accepted++;
    }
  }
  ctx.body = { accepted };
});

app.listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.('ready'));
