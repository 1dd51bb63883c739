import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addSpan, wholeNumber } from '../arguments.ts';
import { addCommand, addGroup } from '../command.ts';
import { HIDDEN, table } from '../format.ts';
import { type Span, shortTime, spanOf } from '../time.ts';
import { type Context, nextPage, REVEAL, type Reveal, revealed, show } from './context.ts';

export const registerQuarantine = (program: Command): void => {
  const quarantine = addGroup(program, 'quarantine', 'authentic callbacks that could not be parsed');
  const list = addCommand(quarantine, {
    usage: 'list',
    about: 'list them, newest first',
    example: 'quarantine list',
    run: (_, options: ListOptions, context) => listQuarantine(options, context),
  });
  addSpan(list, 'those that arrived')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended');
  addCommand(quarantine, {
    usage: 'show <id>',
    about: 'show one; with --reveal also its body',
    example: 'quarantine show qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
    run: ([id], options: Reveal, context) => showQuarantined(id as string, options, context),
  }).option(...REVEAL);
  addCommand(quarantine, {
    usage: 'reparse <id>',
    about: 'parse one again, as if it arrived now',
    example: 'quarantine reparse qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
    run: ([id], _, context) => reparseQuarantined(id as string, context),
  });
  addCommand(quarantine, {
    usage: 'remove <id>',
    about: 'remove one for good',
    example: 'quarantine remove qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
    run: ([id], _, context) => removeQuarantined(id as string, context),
  });
};

interface ListOptions extends Span {
  limit: number;
  cursor?: string;
}

const listQuarantine = async (options: ListOptions, context: Context): Promise<void> => {
  const query = { ...options, ...spanOf(options) };
  const page = await connectApi(context.config).call('GET /v1/quarantine', { query });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'nothing in quarantine';
    const rows = items.map(({ id, receivedAt, bytes, reason }) => [shortTime(receivedAt), id, String(bytes), reason]);
    return table(['RECEIVED', 'ID', 'BYTES', 'REASON'], rows) + nextPage(context, 'quarantine list', options, next);
  });
};

const showQuarantined = async (id: string, options: Reveal, context: Context): Promise<void> => {
  const query = revealed(options);
  const entry = await connectApi(context.config).call('GET /v1/quarantine/{id}', { path: { id }, query });
  show(context, entry, ({ receivedAt, reason, bytes, body }) =>
    [
      id,
      `  received  ${shortTime(receivedAt)}`,
      `  reason    ${reason}`,
      `  bytes     ${bytes}`,
      '',
      body?.text ?? `${HIDDEN}: --reveal shows it`,
    ].join('\n'),
  );
};

const reparseQuarantined = async (id: string, context: Context): Promise<void> => {
  const answer = await connectApi(context.config).call('POST /v1/quarantine/{id}/reparse', { path: { id } });
  show(context, answer, ({ accepted }) => `${id} is accepted now: ${accepted} event${accepted === 1 ? '' : 's'}`);
};

const removeQuarantined = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/quarantine/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed`);
};
