import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { oneLine, shortTime, table } from '../format.ts';
import { type Context, nextPage, show } from './context.ts';

export const registerAudit = (program: Command): Command =>
  addCommand(program, {
    usage: 'audit',
    about: 'who changed, replayed or was shown what, newest first',
    example: 'audit --limit 50',
    run: (_, options: AuditOptions, context) => listAudit(options, context),
  })
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'go on where a list ended');

interface AuditOptions {
  limit: number;
  cursor?: string;
}

/** Who changed, replayed or was shown what. */
const listAudit = async (options: AuditOptions, context: Context): Promise<void> => {
  const page = await connectApi(context.config).call('GET /v1/audit', { query: options });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'nothing was changed, replayed or shown yet';
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
