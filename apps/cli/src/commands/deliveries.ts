import type { Delivery, ListedDelivery } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addSpan, oneOf, wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { attemptLine, deliveryState, table } from '../format.ts';
import { type Span, shortTime, spanOf } from '../time.ts';
import { type Context, firstFilledPage, nextPage, REVEAL, type Reveal, revealed, show } from './context.ts';

export const registerDeliveries = (program: Command): void => {
  const command = addCommand(program, {
    usage: 'deliveries [id]',
    about: 'list deliveries, those of the newest event first, or show one with its attempts',
    example: 'deliveries --state pending --destination crm --since 2h',
    run: ([id], options: DeliveriesOptions, context) =>
      id === undefined ? listDeliveries(options, context) : showDelivery(id, options, context),
  });
  command
    .addOption(oneOf('--state <state>', 'only those in this state', ['pending', 'delivered', 'dead_letter']))
    .option('--destination <id>', 'only those of this destination');
  addSpan(command, 'of events that arrived')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended')
    .option(...REVEAL);
};

interface DeliveriesOptions extends Reveal, Span {
  state?: Delivery['state'];
  destination?: string;
  limit: number;
  cursor?: string;
}

const listDeliveries = async (options: DeliveriesOptions, context: Context): Promise<void> => {
  const { state, destination, limit } = options;
  const query = { state, destination, limit, ...spanOf(options), ...revealed(options) };
  const api = connectApi(context.config);
  const page = await firstFilledPage(options.cursor, (cursor) =>
    api.call('GET /v1/deliveries', { query: { ...query, cursor } }),
  );
  show(context, page, ({ items, next }) =>
    items.length === 0 ? 'no deliveries' : deliveryTable(items) + nextPage(context, 'deliveries', options, next),
  );
};

const deliveryTable = (items: readonly ListedDelivery[]): string =>
  table(
    ['RECEIVED', 'DESTINATION', 'TYPE', 'STATE', 'TRIES', 'NEXT', 'DELIVERY', 'LAST ERROR'],
    items.map(({ receivedAt, destinationId, eventType, state, attempts, nextAttemptAt, id, error }) => [
      receivedAt === null ? '' : shortTime(receivedAt),
      destinationId,
      eventType,
      state,
      String(attempts),
      nextAttemptAt === null ? '' : shortTime(nextAttemptAt),
      id,
      error ?? '',
    ]),
  );

/** Shows a delivery and every attempt. */
export const showDelivery = async (id: string, options: Reveal, context: Context): Promise<void> => {
  const query = revealed(options);
  const delivery = await connectApi(context.config).call('GET /v1/deliveries/{id}', { path: { id }, query });
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
