import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { oneLine, shortTime, table } from '../format.ts';
import { type Context, nextPage, show } from './context.ts';

export const registerAudit = (program: Command): Command =>
  addCommand(program, {
    usage: 'audit',
    about: 'list who changed, replayed or revealed what, newest first',
    example: 'audit --limit 50',
    run: (_, options: AuditOptions, context) => listAudit(options, context),
  })
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended');

interface AuditOptions {
  limit: number;
  cursor?: string;
}

const listAudit = async (options: AuditOptions, context: Context): Promise<void> => {
  const page = await connectApi(context.config).call('GET /v1/audit', { query: options });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'nothing has been changed, replayed or revealed yet';
    const rows = items.map(({ at, by, action, target, detail }) => [
      shortTime(at),
      by,
      action,
      target,
      detail === undefined ? '' : oneLine(JSON.stringify(detail), 80),
    ]);
    return table(['AT', 'BY', 'ACTION', 'TARGET', ''], rows) + nextPage(context, 'audit', options, next);
  });
};
