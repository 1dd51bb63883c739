import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, EventWithDeliveries } from '@clickrelay/client';
import type { Command } from 'commander';
import { type Api, connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { CommandError } from '../errors.ts';
import { deliveryState, gist, parties } from '../format.ts';
import { shortTime } from '../time.ts';
import { type Context, REVEAL, type Reveal, revealed } from './context.ts';

export const registerTail = (program: Command): Command =>
  addCommand(program, {
    usage: 'tail',
    about: 'follow events as they come in, where each one goes, and what becomes of it',
    example: "tail --type 'mo*'",
    isEndless: true,
    run: (_, options: TailOptions, context) => tail(options, context),
  })
    .option('--type <types>', 'only these event types, comma-separated')
    .option(...REVEAL)
    .addHelpText('after', '\nA delivery that does not end at once gets a line of its own when it does.');

interface TailOptions extends Reveal {
  type?: string;
}

/** Long enough for an attempt at a healthy destination. After this an event is shown as it is. */
const PATIENCE_MS = 1500;

/** How often to look for a Clickrelay that went away, in ms. */
const LOOK_AGAIN_MS = 1000;
/** The errors of a Clickrelay that is away for a while. */
const AWAY = ['not_running', 'api_unreachable', 'queue_unavailable'];

/** How many events with open deliveries are watched, the newest ones, and how many of them are looked at in a round. */
const MOST_WATCHED = 1_000;
const LOOKED_AT_ONCE = 20;

/** Follows events until Ctrl-C, even across a restart of Clickrelay. */
const tail = async (options: TailOptions, context: Context): Promise<void> => {
  const { signal } = context;
  const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => {});
  const page = (api: Api, after?: string) =>
    api.call('GET /v1/events', {
      query: { order: 'asc', limit: 100, type: options.type, after, ...revealed(options) },
    });
  const print = (event: EventWithDeliveries, text: string): void =>
    context.print(context.json ? JSON.stringify(event) : text);
  // Without `after`, the list begins now.
  let api = connectApi(context.config);
  let { next: after } = await page(api);
  if (!context.json) process.stderr.write('waiting for events; stop with Ctrl-C\n');
  const watched: Watched = new Map();
  let isAway = false;
  while (!signal.aborted) {
    try {
      const { items, next } = await page(api, after ?? undefined);
      const shown = await Promise.all(items.map(({ id }) => readWhenAttempted(api, id, options, signal)));
      for (const event of shown) {
        print(event, line(event));
        watch(watched, event);
      }
      after = next ?? after;
      for (const { event, ended } of await lookAgain(api, watched, options)) print(event, outcomeLine(event, ended));
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

/** Events with open deliveries, and the destinations of those; the one that was not looked at for longest first. */
type Watched = Map<string, Set<string>>;

const openOf = ({ deliveries }: EventWithDeliveries): Delivery[] =>
  deliveries.filter(({ state }) => state === 'pending');

const watch = (watched: Watched, event: EventWithDeliveries): void => {
  const open = openOf(event).map(({ destinationId }) => destinationId);
  if (open.length > 0) watched.set(event.id, new Set(open));
  const [oldest] = watched.keys();
  if (watched.size > MOST_WATCHED && oldest !== undefined) watched.delete(oldest);
};

/** Looks at some of the watched events. @returns those with deliveries that have ended since */
const lookAgain = async (api: Api, watched: Watched, options: Reveal) => {
  const changed: { event: EventWithDeliveries; ended: Delivery[] }[] = [];
  for (const [id, open] of [...watched].slice(0, LOOKED_AT_ONCE)) {
    const event = await readEvent(api, id, options);
    watched.delete(id);
    if (event === undefined) continue;
    watch(watched, event);
    const ended = event.deliveries.filter(({ state, destinationId }) => state !== 'pending' && open.has(destinationId));
    if (ended.length > 0) changed.push({ event, ended });
  }
  return changed;
};

/** @returns undefined when it has left the log */
const readEvent = async (api: Api, id: string, options: Reveal): Promise<EventWithDeliveries | undefined> => {
  try {
    return await api.call('GET /v1/events/{id}', { path: { id }, query: revealed(options) });
  } catch (error) {
    if (error instanceof CommandError && error.code === 'not_found') return undefined;
    throw error;
  }
};

const line = (event: EventWithDeliveries): string => {
  const where = event.deliveries.map(deliveryState).join(', ') || 'no destination wants it';
  return [shortTime(event.receivedAt), event.type, event.channel, parties(event), gist(event), event.id, `=> ${where}`]
    .filter(Boolean)
    .join('  ');
};

const outcomeLine = (event: EventWithDeliveries, ended: readonly Delivery[]): string => {
  const became = ended.map((delivery) => `${deliveryState(delivery)} at attempt ${delivery.attempts.length}`);
  const at = ended
    .flatMap(({ attempts }) => attempts.at(-1)?.startedAt ?? [])
    .sort()
    .at(-1);
  return [at === undefined ? '' : shortTime(at), event.id, `=> ${became.join(', ')}`].filter(Boolean).join('  ');
};
