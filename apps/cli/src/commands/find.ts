import type { Found } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { type Context, REVEAL, type Reveal, revealed, show } from './context.ts';
import { eventTable } from './events.ts';

export const registerFind = (program: Command): Command =>
  addCommand(program, {
    usage: 'find <text...>',
    about: "find what an id belongs to, or a person's events; exit code 3 if there is nothing",
    example: "find '+27 999 123 401'",
    run: (words, options: Reveal, context) => find(words.join(' '), options, context),
  })
    .option(...REVEAL)
    .addHelpText(
      'after',
      '\nIt takes the id of an event, delivery, message, destination, replay or quarantined callback, your own id\n' +
        '(clientMessageId), a phone number as people write it, a WhatsApp user id, or a short code.',
    );

/** The command that shows more of each kind. */
const SHOWN_BY: Readonly<Record<Found['hits'][number]['kind'], string>> = {
  event: 'events',
  delivery: 'deliveries',
  message: 'message',
  destination: 'destinations show',
  quarantined: 'quarantine show',
  replay: 'replays failed',
};

/** Sent in a body: a number must not stand in a URL. @returns exit code 3 if nothing was found */
const find = async (text: string, options: Reveal, context: Context): Promise<number> => {
  const found = await connectApi(context.config).call('POST /v1/find', { body: { text }, query: revealed(options) });
  show(context, found, (told) => foundText(told, context.config.CLICKRELAY_COMMAND));
  return found.hits.length === 0 ? EXIT.notFound : 0;
};

const foundText = ({ recognised, party, hits, events, complete }: Found, command: string): string => {
  const what = recognised === null ? '' : `${recognised.replaceAll('_', ' ')}: `;
  const further = party === null ? '' : `: ${command} events --party ${party}`;
  if (events.length > 0) {
    return [`${what}${party ?? ''}`, eventTable(events), ...(complete ? [] : [`there may be more${further}`])].join(
      '\n',
    );
  }
  if (hits.length === 0)
    return `${what}nothing found${complete ? '' : ` among the latest events; further back${further}`}`;
  return hits.map(({ kind, id }) => `${what}${id}\n  -> ${command} ${SHOWN_BY[kind]} ${id}`).join('\n');
};
