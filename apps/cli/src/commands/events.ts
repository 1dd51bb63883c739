import type { EventWithDeliveries, ListedEvent } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addSpan, wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { attemptLine, became, deliveryState, gist, HIDDEN, parties, table } from '../format.ts';
import { type Span, shortTime, spanOf } from '../time.ts';
import { type Context, firstFilledPage, nextPage, REVEAL, type Reveal, revealed, show } from './context.ts';

export const registerEvents = (program: Command): void => {
  const command = addCommand(program, {
    usage: 'events [id]',
    about: 'list the latest events, or show one with its deliveries and attempts',
    example: 'events --type moText --since 2h',
    run: ([id], options: EventsOptions, context) =>
      id === undefined ? listEvents(options, context) : showEvent(id, options, context),
  });
  command.option('--type <types>', 'only these event types, comma-separated');
  addSpan(command, 'those that arrived')
    .option('--party <pty_…>', 'only those from or to one person, as `find` names them')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended')
    .option(...REVEAL);
};

interface EventsOptions extends Reveal, Span {
  type?: string;
  party?: string;
  limit: number;
  cursor?: string;
}

/** Lists the latest events, newest first. */
const listEvents = async (options: EventsOptions, context: Context): Promise<void> => {
  const { limit, type, party } = options;
  const query = { limit, type, ...spanOf(options), party, include: 'deliveries', ...revealed(options) } as const;
  const api = connectApi(context.config);
  const page = await firstFilledPage(options.cursor, (cursor) =>
    api.call('GET /v1/events', { query: { ...query, cursor } }),
  );
  show(context, page, ({ items, next }) =>
    items.length === 0 ? 'no events' : eventTable(items) + nextPage(context, 'events', options, next),
  );
};

/** Events, newest first; what became of them where that was asked for. */
export const eventTable = (items: readonly ListedEvent[]): string => {
  const isTold = items.some(({ deliveries }) => deliveries !== undefined);
  return table(
    ['RECEIVED', 'TYPE', 'CHANNEL', 'FROM -> TO', 'EVENT', ...(isTold ? ['BECAME'] : []), 'CONTENT'],
    items.map((event) => [
      shortTime(event.receivedAt),
      event.type,
      event.channel ?? '',
      parties(event),
      event.id,
      ...(isTold ? [became(event.deliveries ?? [])] : []),
      gist(event),
    ]),
  );
};

/** Shows an event, where it went, and every attempt. */
const showEvent = async (id: string, options: Reveal, context: Context): Promise<void> => {
  const query = revealed(options);
  const event = await connectApi(context.config).call('GET /v1/events/{id}', { path: { id }, query });
  show(context, event, eventText);
};

const eventText = ({ deliveries, callback, repeats, ...event }: EventWithDeliveries): string => {
  const rows = [
    ['type', event.type],
    ['channel', event.channel],
    ['from', event.from],
    ['to', event.to],
    ['message id', event.messageId],
    ['answers', event.relatedMessageId],
    ['client id', event.clientMessageId],
    ['integration', [event.integrationName, event.integrationId].filter(Boolean).join(', ')],
    ['occurred', event.occurredAt && shortTime(event.occurredAt)],
    ['received', shortTime(event.receivedAt)],
    ['came with', callback && cameWith(callback)],
    ['repeated', repeats?.lastAt && `${repeats.count} times, last at ${shortTime(repeats.lastAt)}: dropped`],
    ['issues', event.issues?.map(({ path, message }) => `${path}: ${message}`).join('; ')],
  ].flatMap(([name, value]) => (value ? [`  ${(name as string).padEnd(12)} ${value}`] : []));
  const where = deliveries.flatMap((delivery) => [
    `  ${deliveryState(delivery)}  ${delivery.id}`,
    ...delivery.attempts.map((attempt) => `    ${attemptLine(attempt)}`),
  ]);
  return [
    event.id,
    ...rows,
    '',
    'deliveries',
    ...(where.length === 0 ? ['  none: no destination wants it'] : where),
    '',
    'as received',
    ...(event.raw === HIDDEN ? `${HIDDEN}: --reveal shows it` : JSON.stringify(event.raw, null, 2))
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
};

const cameWith = ({ size, elements, others }: NonNullable<EventWithDeliveries['callback']>): string | undefined => {
  if (size === null) return undefined;
  const count = elements === null ? '' : ` with ${elements} element${elements === 1 ? '' : 's'}`;
  const other =
    others.length === 0 ? '' : `; the others: ${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}`;
  return `a callback of ${size} bytes${count}${other}`;
};
