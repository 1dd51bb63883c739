import { setTimeout as sleep } from 'node:timers/promises';
import type { EventWithDeliveries } from '@clickrelay/client';
import type { Command } from 'commander';
import { type Api, connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { CommandError } from '../errors.ts';
import { deliveryState, gist, parties, shortTime } from '../format.ts';
import { type Context, REVEAL, type Reveal, revealed } from './context.ts';

export const registerTail = (program: Command): Command =>
  addCommand(program, {
    usage: 'tail',
    about: 'follow events as they come in, and where each one goes',
    example: "tail --type 'mo*'",
    isEndless: true,
    run: (_, options: TailOptions, context) => tail(options, context),
  })
    .option('--type <types>', 'only these event types, comma-separated')
    .option(...REVEAL);

interface TailOptions extends Reveal {
  type?: string;
}

/** Long enough for an attempt at a healthy destination. After this an event is shown as it is. */
const PATIENCE_MS = 1500;

/** How often to look for a Clickrelay that went away, in ms. */
const LOOK_AGAIN_MS = 1000;
/** The errors of a Clickrelay that is away for a while. */
const AWAY = ['not_running', 'api_unreachable', 'queue_unavailable'];

/** Follows events until Ctrl-C, even across a restart of Clickrelay. */
const tail = async (options: TailOptions, context: Context): Promise<void> => {
  const { signal } = context;
  const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => {});
  const page = (api: Api, after?: string) =>
    api.call('GET /v1/events', {
      query: { order: 'asc', limit: 100, type: options.type, after, ...revealed(options) },
    });
  // Without `after`, the list begins now.
  let api = connectApi(context.config);
  let { next: after } = await page(api);
  if (!context.json) process.stderr.write('waiting for events; stop with Ctrl-C\n');
  let isAway = false;
  while (!signal.aborted) {
    try {
      const { items, next } = await page(api, after ?? undefined);
      const shown = await Promise.all(items.map(({ id }) => readWhenAttempted(api, id, options, signal)));
      for (const event of shown) context.print(context.json ? JSON.stringify(event) : line(event));
      after = next ?? after;
      isAway = false;
      if (items.length === 0) await pause(500);
    } catch (error) {
      if (!(error instanceof CommandError && AWAY.includes(error.code))) throw error;
      if (!isAway) process.stderr.write(`${error.message}\nwaiting until it is back; stop with Ctrl-C\n`);
      isAway = true;
      await pause(LOOK_AGAIN_MS);
      // It may come back at another address, or with another key.
      api = connectApi(context.config);
    }
  }
};

/** Reads an event once its deliveries were attempted, or patience is over. */
const readWhenAttempted = async (
  api: Api,
  id: string,
  options: Reveal,
  signal: AbortSignal,
): Promise<EventWithDeliveries> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const event = await api.call('GET /v1/events/{id}', { path: { id }, query: revealed(options) });
    const isRouted = event.deliveries.length > 0 || Date.now() - Date.parse(event.receivedAt) > PATIENCE_MS;
    const isUnderWay = event.deliveries.some(({ state, attempts }) => state === 'pending' && attempts.length === 0);
    if ((isRouted && !isUnderWay) || performance.now() > deadline || signal.aborted) return event;
    await sleep(150, undefined, { signal }).catch(() => {});
  }
};

const line = (event: EventWithDeliveries): string => {
  const where = event.deliveries.map(deliveryState).join(', ') || 'no destination wants it';
  return [shortTime(event.receivedAt), event.type, event.channel, parties(event), gist(event), event.id, `=> ${where}`]
    .filter(Boolean)
    .join('  ');
};
