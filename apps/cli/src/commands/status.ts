import type { Command } from 'commander';
import { connectApi, whyUnread } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf, type FailOn, failOnOption } from '../fail-on.ts';
import { table } from '../format.ts';
import { isRaised, showConditions } from '../show-conditions.ts';
import { describeSpool, spoolOfReceiverHere } from '../spool.ts';
import { type Context, show } from './context.ts';

export const registerStatus = (program: Command): Command =>
  addCommand(program, {
    usage: 'status',
    about: 'show how safe callbacks are, what is waiting where, and what is wrong',
    example: 'status',
    run: (_, options: StatusOptions, context) => showStatus(options, context),
  })
    .option('--check', 'end with exit code 1 when something is wrong, or cannot be told')
    .addOption(failOnOption('the same, from this severity on; `--check` alone means warning'));

interface StatusOptions extends FailOn {
  check?: true;
}

const showStatus = async (options: StatusOptions, context: Context): Promise<number> => {
  const api = connectApi(context.config);
  const [status, { state, conditions }] = await Promise.all([
    api.call('GET /v1/status').catch(whyUnread),
    api.call('GET /v1/health'),
  ]);
  const { CLICKRELAY_COMMAND: command } = context.config;
  const isCheck = options.check || options.failOn !== undefined;
  if (status instanceof CommandError) {
    show(context, { state, conditions: conditions.filter(isTold) }, () => showConditions({ conditions, command }));
    if (isCheck) return exitCodeOf(conditions, options);
    throw status;
  }
  const spool = await spoolOfReceiverHere(context.config);
  show(
    context,
    { ...status, state, conditions: conditions.filter(isTold), ...(spool && { spool }) },
    ({ version, durability, eventLogBytes, ingest, destinations }) => {
      const rows = destinations.map(({ id, waiting, delayed, active, deadLetters }) =>
        [id, waiting, delayed, active, deadLetters].map(String),
      );
      return [
        `Clickrelay ${version}; what is acknowledged is kept: ${durability.durability}`,
        `event log: ${(eventLogBytes / 1_048_576).toFixed(1)} MiB`,
        `groups to route: ${ingest.messages} of messages, ${ingest.statuses} of statuses`,
        ...(spool ? [`spool: ${describeSpool(spool)}`] : []),
        ...(rows.length === 0
          ? ['no destinations']
          : [table(['DESTINATION', 'WAITING', 'DELAYED', 'ACTIVE', 'DEAD'], rows)]),
        '',
        showConditions({ conditions, command }),
      ].join('\n');
    },
  );
  return isCheck ? exitCodeOf(conditions, options) : 0;
};

/** What is only suspected is for `health`. */
const isTold = (one: Parameters<typeof isRaised>[0]): boolean => isRaised(one) || one.state === 'unknown';
