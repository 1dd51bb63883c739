import type { DeadLetter } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addSpan, wholeNumber } from '../arguments.ts';
import { addCommand, addGroup } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { table } from '../format.ts';
import { type Span, shortTime, spanOf } from '../time.ts';
import { addChoice, type Choice, chosenBy, countedDeliveries, kindOption, leftOutLines } from './choice.ts';
import { type Context, firstFilledPage, nextPage, REVEAL, type Reveal, revealed, show } from './context.ts';
import { showDelivery } from './deliveries.ts';

export const registerDeadLetters = (program: Command): void => {
  const deadLetters = addGroup(program, 'dead-letters', 'deliveries that ended without success');
  const list = addCommand(deadLetters, {
    usage: 'list',
    about: 'list dead letters, newest first',
    example: 'dead-letters list --destination crm',
    run: (_, options: ListOptions, context) => listDeadLetters(options, context),
  });
  list.option('--destination <id>', 'only those of this destination').addOption(kindOption());
  addSpan(list, 'those that failed')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended')
    .option(...REVEAL);
  addCommand(deadLetters, {
    usage: 'show <deliveryId>',
    about: 'show every attempt; with --reveal also what the destination answered',
    example: 'dead-letters show dlv_crm_x7Vv0J1tq8mC2kQbZ4n9Lw',
    run: ([id], options: Reveal, context) => showDelivery(id as string, options, context),
  }).option(...REVEAL);
  const remove = addCommand(deadLetters, {
    usage: 'remove [deliveryIds...]',
    about: 'remove these dead letters, or all that match, for good',
    example: 'dead-letters remove --all --destination crm --kind not_built --dry-run',
    run: removeDeadLetters,
  });
  addChoice(remove)
    .option('--dry-run', 'say which would be removed, and remove nothing')
    .option('--expected <n>', 'how many will be removed, as --dry-run says; required above 100', wholeNumber);
};

interface ListOptions extends Reveal, Span {
  destination?: string;
  kind?: DeadLetter['kind'];
  limit: number;
  cursor?: string;
}

const listDeadLetters = async (options: ListOptions, context: Context): Promise<void> => {
  const query = { ...options, ...spanOf(options), ...revealed(options) };
  const api = connectApi(context.config);
  const page = await firstFilledPage(options.cursor, (cursor) =>
    api.call('GET /v1/dead-letters', { query: { ...query, cursor } }),
  );
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'no dead letters';
    const rows = items.map((letter) => [
      shortTime(letter.failedAt),
      letter.destinationId,
      letter.eventType,
      letter.kind,
      letter.deliveryId,
      String(letter.attempts),
      letter.error,
    ]);
    const { CLICKRELAY_COMMAND: command } = context.config;
    const more = nextPage(context, 'dead-letters list', options, next);
    const list = table(['FAILED', 'DESTINATION', 'TYPE', 'KIND', 'DELIVERY', 'TRIES', 'ERROR'], rows);
    return `${list}${more}\nsend one again: ${command} replay ${items[0]?.deliveryId}`;
  });
};

interface RemoveOptions extends Choice {
  dryRun?: boolean;
  expected?: number;
}

/** Above this many, `--expected` must give the number. */
const MOST_UNCOUNTED = 100;

/** Removes for good: one, several, or all that match. */
const removeDeadLetters = async (ids: readonly string[], options: RemoveOptions, context: Context): Promise<void> => {
  const [deliveryId] = ids;
  const api = connectApi(context.config);
  if (deliveryId !== undefined && ids.length === 1 && Object.keys(options).length === 0) {
    await api.call('DELETE /v1/dead-letters/{deliveryId}', { path: { deliveryId } });
    show(context, { removed: deliveryId }, () => `${deliveryId} is removed`);
    return;
  }
  const { dryRun, expected, ...choice } = options;
  const chosen = chosenBy(ids, choice);
  const {
    removed: _,
    left: __,
    ...plan
  } = await api.call('POST /v1/dead-letters/remove', {
    body: { ...chosen, dryRun: true },
  });
  const { matched, oldest, until } = plan;
  const counted = countedDeliveries(matched, false);
  if (dryRun) {
    show(context, plan, () =>
      [
        `${counted} would be removed, for good`,
        ...(oldest === null ? [] : [`the oldest came ${shortTime(oldest)}`]),
        ...leftOutLines(plan),
        `remove them with --until ${until} --expected ${matched ?? '<n>'}`,
      ].join('\n'),
    );
    return;
  }
  if (expected === undefined && matched !== null && matched > MOST_UNCOUNTED) {
    throw new CommandError(
      'unexpected_count',
      `${counted} match, and would be removed for good; if you mean that, add --expected ${matched} --until ${until}`,
      { exitCode: EXIT.refused },
    );
  }
  // `until` leaves out dead letters that arrive from now on, so that the number holds.
  let removed = 0;
  for (let left: number | null = expected ?? matched; left !== 0; ) {
    const body = { ...chosen, until, ...(left !== null && { expected: left }) };
    const answer = await api.call('POST /v1/dead-letters/remove', { body });
    removed += answer.removed;
    left = answer.left;
  }
  show(context, { ...plan, removed }, () =>
    [`${countedDeliveries(removed, false)} removed`, ...leftOutLines(plan)].join('\n'),
  );
};
