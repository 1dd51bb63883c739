import { setTimeout as sleep } from 'node:timers/promises';
import type { Replay } from '@clickrelay/client';
import type { Command } from 'commander';
import { type Api, connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { shortTime } from '../time.ts';
import { addChoice, type Choice, chosenBy, countedDeliveries, leftOutLines } from './choice.ts';
import { type Context, show } from './context.ts';

export const registerReplay = (program: Command): void => {
  const command = addCommand(program, {
    usage: 'replay [deliveryIds...]',
    about: 'send a delivery again, whether it failed or was delivered; or many',
    example: 'replay --all --destination crm',
    // Ctrl-C ends the waiting, and not the replay: it says so.
    isEndless: true,
    run: replay,
  });
  addChoice(command)
    .option('--delivered', 'delivered events instead of dead letters; --since and --until are then times of events')
    .option('--rate <rate>', 'the most to send: 500/s, 600/m (default: no limit)')
    .option('--dry-run', 'say which would be sent, and send nothing')
    .option('--detach', 'do not wait for the end');
};

interface ReplayOptions extends Choice {
  delivered?: boolean;
  rate?: string;
  dryRun?: boolean;
  detach?: boolean;
}

/** How often progress is shown, in ms. */
const LOOK_MS = 500;
/** How often to look again once all are sent, for the outcome of the last ones: most are delivered at once. */
const LAST_LOOKS = 6;

const replay = async (
  ids: readonly string[],
  options: ReplayOptions,
  context: Context,
): Promise<number | undefined> => {
  const [deliveryId] = ids;
  // Any option makes it a replay of many.
  if (deliveryId === undefined || ids.length > 1 || Object.keys(options).length > 0) {
    return replayMany(ids, options, context);
  }
  await connectApi(context.config).call('POST /v1/deliveries/{id}/replay', { path: { id: deliveryId } });
  show(context, { replayed: [deliveryId] }, () => `${deliveryId} is sent again`);
  return undefined;
};

const replayMany = async (
  ids: readonly string[],
  options: ReplayOptions,
  context: Context,
): Promise<number | undefined> => {
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
    return undefined;
  }
  if (detach) {
    show(context, made, ({ id }) => [`${id} sends ${counted} again`, ...leftOutLines(plan)].join('\n'));
    return undefined;
  }
  const { CLICKRELAY_COMMAND: command } = context.config;
  const present = await follow(made, api, context);
  show(context, present, ({ id, state, failed }) =>
    [
      progressOf(present),
      ...leftOutLines(plan),
      ...(state === 'running'
        ? [
            `it goes on without this command; look with \`${command} replays\`, pause it with ` +
              `\`${command} replays pause ${id}\`, stop it for good with \`${command} replays cancel ${id}\``,
          ]
        : []),
      ...(state === 'paused' || state === 'cancelled' ? [`continue it with \`${command} replays resume ${id}\``] : []),
      ...(failed > 0 ? [`see which failed again with \`${command} replays failed ${id}\``] : []),
    ].join('\n'),
  );
  return context.signal.aborted && present.state === 'running' ? EXIT.interrupted : undefined;
};

/** Waits for the end, or for Ctrl-C. @returns what is known then */
const follow = async (made: Replay, api: Api, { json, signal }: Context): Promise<Replay> => {
  // For people who watch; a pipe gets only the end.
  const isWatched = !json && process.stderr.isTTY;
  let present = made;
  for (let looks = LAST_LOOKS; !signal.aborted; ) {
    if (present.state !== 'running' && (present.state !== 'done' || underWay(present) === 0 || looks-- === 0)) break;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    present = await api.call('GET /v1/replays/{id}', { path: { id: made.id } });
    if (isWatched) process.stderr.write(`\r${progressOf(present)} `);
  }
  if (isWatched) process.stderr.write('\r\x1b[K');
  return present;
};

const underWay = ({ replayed, delivered, failed }: Replay): number => replayed - delivered - failed;

export const progressOf = (present: Replay): string => {
  const { id, state, matched, replayed, delivered, failed, skipped } = present;
  const beside = skipped > 0 ? `, ${skipped} on their way already` : '';
  const open = underWay(present) > 0 ? `, ${underWay(present)} under way` : '';
  const sent = `${replayed} of ${matched ?? 'many'} sent again${beside}`;
  return `${id} is ${state}: ${sent}: ${delivered} delivered, ${failed} failed again${open}`;
};
