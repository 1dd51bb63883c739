import { setTimeout as sleep } from 'node:timers/promises';
import type { EventWithDeliveries } from '@clickrelay/client';
import { type Api, connectApi } from '../api-client.ts';
import { deliveryState, gist, parties, shortTime } from '../format.ts';
import { type Context, type Reveal, revealed } from './context.ts';

export interface TailOptions extends Reveal {
  type?: string;
}

/** An attempt at a healthy destination takes about this long; after it an event is shown as it is. */
const PATIENCE_MS = 1500;

/** Shows events as they come in, each with where it went, until Ctrl-C. */
export async function tail(options: TailOptions, context: Context): Promise<void> {
  const api = connectApi(context.config);
  const page = (after?: string) =>
    api.call('GET /v1/events', {
      query: { order: 'asc', limit: 100, type: options.type, after, ...revealed(options) },
    });
  // Without `after` the list begins now.
  let { next: after } = await page();
  if (!context.json) process.stderr.write('waiting for events; Ctrl-C ends this\n');
  while (!context.signal.aborted) {
    const { items, next } = await page(after ?? undefined);
    after = next ?? after;
    const settled = await Promise.all(items.map(({ id }) => settle(api, id, options, context.signal)));
    for (const event of settled) context.print(context.json ? JSON.stringify(event) : line(event));
    if (items.length === 0) await sleep(500, undefined, { signal: context.signal }).catch(() => {});
  }
}

/** The event once nothing of it is under way any more, or patience is over. */
async function settle(api: Api, id: string, options: Reveal, signal: AbortSignal): Promise<EventWithDeliveries> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const event = await api.call('GET /v1/events/{id}', { path: { id }, query: revealed(options) });
    const isRouted = event.deliveries.length > 0 || Date.now() - Date.parse(event.receivedAt) > PATIENCE_MS;
    const isUnderWay = event.deliveries.some(({ state, attempts }) => state === 'pending' && attempts.length === 0);
    if ((isRouted && !isUnderWay) || performance.now() > deadline || signal.aborted) return event;
    await sleep(150, undefined, { signal }).catch(() => {});
  }
}

function line(event: EventWithDeliveries): string {
  const where = event.deliveries.map(deliveryState).join(', ') || 'no destination wants it';
  return [shortTime(event.receivedAt), event.type, event.channel, parties(event), gist(event), event.id, `=> ${where}`]
    .filter(Boolean)
    .join('  ');
}
