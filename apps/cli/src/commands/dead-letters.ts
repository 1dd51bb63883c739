import type { DeadLetter } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { addCommand, addGroup } from '../command.ts';
import { CommandError } from '../errors.ts';
import { attemptLine, deliveryState, shortTime, table } from '../format.ts';
import { addChoice, type Choice, chosenBy, countedDeliveries, leftOutLines } from './choice.ts';
import { type Context, nextPage, REVEAL, type Reveal, revealed, show } from './context.ts';

export const registerDeadLetters = (program: Command): void => {
  const deadLetters = addGroup(program, 'dead-letters', 'deliveries that ended without success');
  addCommand(deadLetters, {
    usage: 'list',
    about: 'list dead letters, newest first',
    example: 'dead-letters list --destination crm',
    run: (_, options: ListOptions, context) => listDeadLetters(options, context),
  })
    .option('--destination <id>', 'only those of one destination')
    .option('--kind <kind>', 'only these: refused, not_built or crashes_consumer')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'go on where a list ended')
    .option(...REVEAL);
  addCommand(deadLetters, {
    usage: 'show <deliveryId>',
    about: 'show every attempt, with --reveal what was answered too',
    example: 'dead-letters show dlv_crm_x7Vv0J1tq8mC2kQbZ4n9Lw',
    run: ([id], options: Reveal, context) => showDeadLetter(id as string, options, context),
  }).option(...REVEAL);
  const remove = addCommand(deadLetters, {
    usage: 'remove [deliveryIds...]',
    about: 'give up for good: on these, or on all that match',
    example: 'dead-letters remove --all --destination crm --kind not_built --dry-run',
    run: removeDeadLetters,
  });
  addChoice(remove)
    .option('--dry-run', 'tell which, and remove nothing')
    .option('--expected <n>', 'how many will go, as --dry-run tells: wanted for more than 100', wholeNumber);
};

interface ListOptions extends Reveal {
  destination?: string;
  /** The API says which there are. */
  kind?: DeadLetter['kind'];
  limit: number;
  cursor?: string;
}

const listDeadLetters = async (options: ListOptions, context: Context): Promise<void> => {
  const query = { ...options, ...revealed(options) };
  const page = await connectApi(context.config).call('GET /v1/dead-letters', { query });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'no dead letters';
    const rows = items.map((letter) => [
      shortTime(letter.failedAt),
      letter.destinationId,
      letter.eventType,
      letter.kind.replaceAll('_', ' '),
      letter.deliveryId,
      String(letter.attempts),
      letter.error,
    ]);
    const { CLICKRELAY_COMMAND: command } = context.config;
    const more = nextPage(context, 'dead-letters list', options, next);
    return `${table(['FAILED', 'DESTINATION', 'TYPE', 'KIND', 'DELIVERY', 'TRIES', 'ERROR'], rows)}${more}\nsend one again: ${command} replay ${items[0]?.deliveryId}`;
  });
};

const showDeadLetter = async (deliveryId: string, options: Reveal, context: Context): Promise<void> => {
  const delivery = await connectApi(context.config).call('GET /v1/deliveries/{id}', {
    path: { id: deliveryId },
    query: revealed(options),
  });
  show(context, delivery, (found) =>
    [
      found.id,
      `  ${deliveryState(found)}`,
      `  event ${found.eventId}`,
      ...found.attempts.flatMap((attempt) => [
        `  ${attemptLine(attempt)}`,
        ...(attempt.response === '' ? [] : attempt.response.split('\n').map((line) => `    | ${line}`)),
      ]),
    ].join('\n'),
  );
};

interface RemoveOptions extends Choice {
  dryRun?: boolean;
  expected?: number;
}

/** More are removed only when it is said how many. */
const MOST_UNCOUNTED = 100;

/** Gives up for good: on one, on several, or on all that match. */
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
      `${counted} match, and would be gone for good; if that is meant, add --expected ${matched} --until ${until}`,
    );
  }
  // What comes from now on is not removed: the number stays the same while others come.
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
