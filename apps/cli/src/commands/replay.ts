import type { DeadLetter, Replay } from '@clickrelay/client';
import { connectApi } from '../api-client.ts';
import { parseSince } from '../duration.ts';
import { usageError } from '../errors.ts';
import { shortTime, table } from '../format.ts';
import { type Context, type Reveal, revealed, show, WHOLE_PAGES } from './context.ts';

export interface ReplayOptions {
  all?: boolean;
  delivered?: boolean;
  destination?: string;
  /** The API says which there are. */
  kind?: DeadLetter['kind'];
  events?: string;
  since?: string;
  until?: string;
  filter?: string;
  rate?: string;
  dryRun?: boolean;
  detach?: boolean;
}

/** How often progress is shown, in ms. */
const LOOK_MS = 500;

/** Sends a delivery again, dead or delivered; or many. */
export async function replay(deliveryId: string | undefined, options: ReplayOptions, context: Context): Promise<void> {
  if ((deliveryId === undefined) === (options.all !== true)) {
    throw usageError('give the id of a delivery (dlv_…), or --all for every dead letter');
  }
  if (deliveryId === undefined) return replayMany(options, context);
  await connectApi(context.config).call('POST /v1/deliveries/{id}/replay', { path: { id: deliveryId } });
  show(context, { replayed: [deliveryId] }, () => `${deliveryId} is sent again`);
}

async function replayMany(options: ReplayOptions, context: Context): Promise<void> {
  const { delivered, events, since, until, dryRun, detach, all: _, ...rest } = options;
  const api = connectApi(context.config);
  const { matched, replay: made } = await api.call('POST /v1/replays', {
    body: {
      ...rest,
      ...(delivered && { state: 'delivered' }),
      ...(since !== undefined && { since: parseSince(since, '--since').toISOString() }),
      ...(until !== undefined && { until: parseSince(until, '--until').toISOString() }),
      ...(events !== undefined && { events: events.split(',').map((one) => one.trim()) }),
      dryRun: dryRun ?? false,
    },
  });
  if (made === null) {
    show(context, { matched }, () => `${counted(matched, delivered)} would be sent again`);
    return;
  }
  if (detach) {
    show(context, made, ({ id }) => `${id} sends ${counted(matched, delivered)} again`);
    return;
  }
  const { CLICKRELAY_COMMAND: command } = context.config;
  let present = made;
  while (present.state === 'running' && !context.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    present = await api.call('GET /v1/replays/{id}', { path: { id: made.id } });
    // For people who watch; what is piped gets the end only.
    if (!context.json && process.stderr.isTTY) process.stderr.write(`\r${progressOf(present)} `);
  }
  if (!context.json && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  show(context, present, ({ id, state }) => {
    if (state === 'running')
      return `${progressOf(present)}\nit goes on; stop it with \`${command} replays cancel ${id}\``;
    if (state === 'cancelled') return `${progressOf(present)}\ngo on with \`${command} replays resume ${id}\``;
    return progressOf(present);
  });
}

export async function listReplays(options: Reveal, context: Context): Promise<void> {
  const query = { ...WHOLE_PAGES.query, ...revealed(options) };
  const all = await connectApi(context.config).all('GET /v1/replays', { query });
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) return 'nobody has replayed many deliveries yet';
    const rows = items.map(({ id, createdAt, by, state, matched, replayed, skipped, rate, selection }) => [
      id,
      shortTime(createdAt),
      by,
      state,
      `${replayed}/${matched ?? '?'}${skipped > 0 ? ` (${skipped} skipped)` : ''}`,
      rate ?? '',
      Object.entries(selection)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    ]);
    return table(['REPLAY', 'MADE', 'BY', 'STATE', 'SENT AGAIN', 'RATE', 'WHAT'], rows);
  });
}

/** Stops a replay, or lets it go on. */
export async function changeReplay(id: string, state: 'running' | 'cancelled', context: Context): Promise<void> {
  const changed = await connectApi(context.config).call('PATCH /v1/replays/{id}', { path: { id }, body: { state } });
  show(context, changed, progressOf);
}

function progressOf({ id, state, matched, replayed, skipped }: Replay): string {
  const beside = skipped > 0 ? `, ${skipped} on their way already` : '';
  return `${id} is ${state}: ${replayed} of ${matched ?? 'many'} sent again${beside}`;
}

function counted(matched: number | null, delivered: boolean | undefined): string {
  const what = delivered ? 'delivered' : 'dead letter';
  if (matched === null) return delivered ? 'very many deliveries' : 'very many dead letters';
  if (delivered) return `${matched} ${what} deliver${matched === 1 ? 'y' : 'ies'}`;
  return `${matched} ${what}${matched === 1 ? '' : 's'}`;
}
