import type { Event, Message, MessageStatus } from '@clickrelay/client';
import type { Command } from 'commander';
import { type Api, connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { CommandError, usageError } from '../errors.ts';
import { gist, oneLine, parties, table } from '../format.ts';
import { shortTime } from '../time.ts';
import { type Context, REVEAL, type Reveal, revealed, show } from './context.ts';

export const registerMessage = (program: Command): Command =>
  addCommand(program, {
    usage: 'message [id]',
    about: 'show a message: its statuses, where it stands, and the replies to it',
    example: 'message 5b07c04f74c186e46ef5f036c4dc96fc',
    run: ([id], options: Reveal & { reindex?: true }, context) => message(id, options, context),
  })
    .option(...REVEAL)
    .option('--reindex', 'rebuild the index that finds messages, from the event log')
    .addHelpText('after', '\nThe id is the message id, or your own (clientMessageId).');

/** Shows a message, by its id or by the sender's own. */
const message = async (
  id: string | undefined,
  options: Reveal & { reindex?: true },
  context: Context,
): Promise<void> => {
  const api = connectApi(context.config);
  if (options.reindex) return await reindexMessages(api, context);
  if (id === undefined) throw usageError('message takes a message id, or your own id for it');
  const messages = await findMessages(api, id, options);
  show(context, messages, (found) => found.map(messageText).join('\n\n'));
};

const findMessages = async (api: Api, id: string, options: Reveal): Promise<Message[]> => {
  const query = revealed(options);
  try {
    return [await api.call('GET /v1/messages/{messageId}', { path: { messageId: id }, query })];
  } catch (error) {
    if (!(error instanceof CommandError && error.code === 'not_found')) throw error;
    const named = { query: { ...query, clientMessageId: id } };
    const items = await api.all('GET /v1/messages', named);
    if (items.length === 0) throw error;
    return items;
  }
};

const reindexMessages = async (api: Api, context: Context): Promise<void> => {
  let events = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const part: { events: number; next: string | null } = await api.call('POST /v1/messages/reindex', {
      query: { cursor },
    });
    events += part.events;
    cursor = part.next;
  }
  show(context, { events }, () => `${events} events are in the index`);
};

const messageText = (found: Message): string => {
  const { current, statuses, received, replies, statusCount, replyCount } = found;
  const facts = [
    ['client id', found.clientMessageId],
    ['channel', found.channel],
    ['stands at', current === null ? 'no status yet' : standing(current)],
  ].flatMap(([name, value]) => (value ? [`  ${(name as string).padEnd(10)} ${oneLine(value, 200)}`] : []));
  const parts = [[`message ${oneLine(found.messageId, 200)}`, ...facts].join('\n')];
  if (received.length > 0) parts.push(['the message', indent(eventTable(received))].join('\n'));
  if (statuses.length > 0) {
    parts.push([heading('statuses', statuses.length, statusCount), indent(statusTable(statuses))].join('\n'));
  }
  if (replies.length > 0) {
    parts.push([heading('replies', replies.length, replyCount), indent(eventTable(replies))].join('\n'));
  }
  if (!found.complete) parts.push('it has more than 10,000 events, and not all were read');
  return parts.join('\n\n');
};

const heading = (name: string, shown: number, count: number): string =>
  shown === count ? name : `${name}: the last ${shown} of ${count}`;

const standing = ({ name, code, class: statusClass, final, occurredAt, receivedAt }: MessageStatus): string =>
  `${name ?? code ?? 'an unreadable status'} (${statusClass}${final ? ', final' : ''}) ` +
  `since ${shortTime(occurredAt ?? receivedAt)}`;

const statusTable = (statuses: readonly MessageStatus[]): string =>
  table(
    ['HAPPENED', 'RECEIVED', 'STATUS', 'CLASS', 'EVENT', ''],
    statuses.map(({ occurredAt, receivedAt, name, code, class: statusClass, id, late }) => [
      occurredAt === null ? '' : shortTime(occurredAt),
      shortTime(receivedAt),
      oneLine([code, name].filter((part) => part !== null).join(' '), 60),
      statusClass,
      id,
      late ? 'late' : '',
    ]),
    INDENT,
  );

const eventTable = (events: readonly Event[]): string =>
  table(
    ['HAPPENED', 'TYPE', 'FROM -> TO', 'EVENT', ''],
    events.map((event) => [
      event.occurredAt === null ? '' : shortTime(event.occurredAt),
      event.type,
      parties(event),
      event.id,
      gist(event),
    ]),
    INDENT,
  );

const INDENT = 2;
const indent = (text: string): string => text.replaceAll(/^/gm, ' '.repeat(INDENT));
