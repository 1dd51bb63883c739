import type { Replay } from '@clickrelay/client';
import { connectApi } from '../api-client.ts';
import { shortTime, table } from '../format.ts';
import { type Choice, chosenBy, countedDeliveries, leftOutLines } from './choice.ts';
import { type Context, type Reveal, revealed, show, WHOLE_PAGES } from './context.ts';

export interface ReplayOptions extends Choice {
  delivered?: boolean;
  rate?: string;
  dryRun?: boolean;
  detach?: boolean;
}

/** How often progress is shown, in ms. */
const LOOK_MS = 500;
/** When all are sent, so many looks more at what becomes of the last ones: most are delivered at once. */
const LAST_LOOKS = 6;

/** Sends a delivery again, dead or delivered; or many. */
export const replay = async (ids: readonly string[], options: ReplayOptions, context: Context): Promise<void> => {
  const [deliveryId] = ids;
  // Anything that is said beside the id is about many.
  if (deliveryId === undefined || ids.length > 1 || Object.keys(options).length > 0) {
    return replayMany(ids, options, context);
  }
  await connectApi(context.config).call('POST /v1/deliveries/{id}/replay', { path: { id: deliveryId } });
  show(context, { replayed: [deliveryId] }, () => `${deliveryId} is sent again`);
};

const replayMany = async (ids: readonly string[], options: ReplayOptions, context: Context): Promise<void> => {
  const { delivered, rate, dryRun, detach, ...choice } = options;
  const api = connectApi(context.config);
  const { replay: made, ...plan } = await api.call('POST /v1/replays', {
    body: {
      ...chosenBy(ids, choice),
      ...(delivered && { state: 'delivered' }),
      ...(rate !== undefined && { rate }),
      dryRun: dryRun ?? false,
    },
  });
  const counted = countedDeliveries(plan.matched, delivered);
  if (made === null) {
    show(context, plan, ({ oldest, seconds, until }) =>
      [
        `${counted} would be sent again${seconds === null ? '' : `, in ${seconds} s`}`,
        ...(oldest === null ? [] : [`the oldest came ${shortTime(oldest)}`]),
        ...leftOutLines(plan),
        `send the same with --until ${until}`,
      ].join('\n'),
    );
    return;
  }
  if (detach) {
    show(context, made, ({ id }) => [`${id} sends ${counted} again`, ...leftOutLines(plan)].join('\n'));
    return;
  }
  const { CLICKRELAY_COMMAND: command } = context.config;
  let present = made;
  for (let looks = LAST_LOOKS; !context.signal.aborted; ) {
    if (present.state !== 'running' && (present.state !== 'done' || underWay(present) === 0 || looks-- === 0)) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    present = await api.call('GET /v1/replays/{id}', { path: { id: made.id } });
    // For people who watch; what is piped gets the end only.
    if (!context.json && process.stderr.isTTY) process.stderr.write(`\r${progressOf(present)} `);
  }
  if (!context.json && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  show(context, present, ({ id, state, failed }) =>
    [
      progressOf(present),
      ...leftOutLines(plan),
      ...(state === 'running' ? [`it goes on; stop it with \`${command} replays pause ${id}\``] : []),
      ...(state === 'paused' || state === 'cancelled' ? [`go on with \`${command} replays resume ${id}\``] : []),
      ...(failed > 0 ? [`see which failed again with \`${command} replays failed ${id}\``] : []),
    ].join('\n'),
  );
};

export const listReplays = async (options: Reveal, context: Context): Promise<void> => {
  const query = { ...WHOLE_PAGES.query, ...revealed(options) };
  const all = await connectApi(context.config).all('GET /v1/replays', { query });
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) return 'nobody has replayed many deliveries yet';
    const rows = items.map(
      ({ id, createdAt, by, state, matched, replayed, delivered, failed, skipped, rate, selection }) => [
        id,
        shortTime(createdAt),
        by,
        state,
        `${replayed}/${matched ?? '?'}${skipped > 0 ? ` (${skipped} skipped)` : ''}`,
        String(delivered),
        String(failed),
        rate ?? '',
        Object.entries(selection)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ],
    );
    return table(['REPLAY', 'MADE', 'BY', 'STATE', 'SENT AGAIN', 'DELIVERED', 'FAILED AGAIN', 'RATE', 'WHAT'], rows);
  });
};

/** Stops a replay, or lets it go on. */
export const changeReplay = async (
  id: string,
  state: 'running' | 'paused' | 'cancelled',
  context: Context,
): Promise<void> => {
  const changed = await connectApi(context.config).call('PATCH /v1/replays/{id}', { path: { id }, body: { state } });
  show(context, changed, progressOf);
};

/** Those that became dead letters again. */
export const listFailed = async (id: string, context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/replays/{id}/failed', { path: { id }, ...WHOLE_PAGES });
  show(context, { items: all, next: null }, ({ items }) =>
    items.length === 0 ? 'none failed again' : items.join('\n'),
  );
};

const underWay = ({ replayed, delivered, failed }: Replay): number => replayed - delivered - failed;

const progressOf = (present: Replay): string => {
  const { id, state, matched, replayed, delivered, failed, skipped } = present;
  const beside = skipped > 0 ? `, ${skipped} on their way already` : '';
  const open = underWay(present) > 0 ? `, ${underWay(present)} under way` : '';
  const sent = `${replayed} of ${matched ?? 'many'} sent again${beside}`;
  return `${id} is ${state}: ${sent}: ${delivered} delivered, ${failed} failed again${open}`;
};
