import type { Lag } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { table } from '../format.ts';
import { type Context, show } from './context.ts';

export const registerLag = (program: Command): void => {
  addCommand(program, {
    usage: 'lag',
    about: 'show how late Clickatell hands events over: is it them, or is it here?',
    example: 'lag --hours 24',
    run: (_, options: { hours: number }, context) => showLag(options.hours, context),
  }).option('--hours <n>', 'of so many hours, the present one included; at most 168', wholeNumber, 24);
};

const showLag = async (hours: number, context: Context): Promise<void> => {
  const api = connectApi(context.config);
  show(context, await api.call('GET /v1/lag', { query: { hours } }), lagText);
};

const lagText = ({ rows, hours }: Lag): string => {
  const ours = hours.filter((hour) => hour.ours).length;
  const leftOut = `${ours} of these hours left out: callbacks were refused here, and some came late by that`;
  const early = rows.reduce((sum, row) => sum + row.early, 0);
  const unusable = rows.reduce((sum, row) => sum + row.unusable, 0);
  return [
    rows.length === 0
      ? `no new events in the last ${hours.length} hours`
      : table(
          ['LANE', 'CHANNEL', 'CLASS', 'EVENTS', 'MEDIAN', 'P95'],
          rows.map(({ lane, channel, class: statusClass, events, medianMs, p95Ms }) => [
            lane,
            channel,
            statusClass ?? '',
            String(events),
            lagOf(medianMs),
            lagOf(p95Ms),
          ]),
        ),
    ...(ours > 0 ? [leftOut] : []),
    ...(early > 0 ? [`${early} arrived before they occurred: the clock here is behind that of Clickatell`] : []),
    ...(unusable > 0 ? [`${unusable} more have a time that cannot be: missing, 0, in seconds or in the future`] : []),
  ].join('\n');
};

const lagOf = (ms: number | null): string => {
  if (ms === null) return '-';
  const seconds = ms / 1_000;
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
};
