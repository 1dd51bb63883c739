import type { Overview } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { table } from '../format.ts';
import { paint } from '../paint.ts';
import { describeSpool, spoolOfReceiverHere } from '../spool.ts';
import { type Context, show } from './context.ts';

export const registerStatus = (program: Command): Command =>
  addCommand(program, {
    usage: 'status',
    about: 'show how safe callbacks are, and what is waiting where',
    example: 'status',
    run: (_, __, context) => showStatus(context),
  });

const showStatus = async (context: Context): Promise<void> => {
  const api = connectApi(context.config);
  const [status, { healthy, needs }] = await Promise.all([api.call('GET /v1/status'), api.call('GET /v1/overview')]);
  const spool = await spoolOfReceiverHere(context.config);
  show(
    context,
    { ...status, healthy, needs, ...(spool && { spool }) },
    ({ version, durability, eventLogBytes, ingest, destinations }) => {
      const problems = durability.problems.map(({ setting, value, mend }) => `  ${setting} is ${value}: ${mend}`);
      const rows = destinations.map(({ id, waiting, delayed, active, deadLetters }) =>
        [id, waiting, delayed, active, deadLetters].map(String),
      );
      return [
        `Clickrelay ${version}; what is acknowledged is kept: ${durability.durability}`,
        ...problems,
        `event log: ${(eventLogBytes / 1_048_576).toFixed(1)} MiB`,
        `groups to route: ${ingest.messages} of messages, ${ingest.statuses} of statuses`,
        ...(spool ? [`spool: ${describeSpool(spool)}`] : []),
        ...(rows.length === 0
          ? ['no destinations']
          : [table(['DESTINATION', 'WAITING', 'DELAYED', 'ACTIVE', 'DEAD'], rows)]),
        '',
        ...(healthy ? ['nothing needs attention'] : ['what needs attention, worst first', ...needs.map(needLine)]),
      ].join('\n');
    },
  );
};

const needLine = ({ kind, destinationId, count, detail }: Overview['needs'][number]): string => {
  const what = [destinationId, paint('red', kind)].filter((part) => part !== null).join(' ');
  return `  ${what}${count === 0 ? '' : ` (${count})`}: ${detail}`;
};
