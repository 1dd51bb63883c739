import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand, addGroup } from '../command.ts';
import { table } from '../format.ts';
import { shortTime } from '../time.ts';
import { type Context, REVEAL, type Reveal, revealed, show, WHOLE_PAGES } from './context.ts';
import { progressOf } from './replay.ts';

export const registerReplays = (program: Command): void => {
  const replays = addGroup(program, 'replays', 'replays of many deliveries: who asked for which, and their progress');
  addCommand(replays, {
    usage: 'list',
    about: 'list them, newest first',
    example: 'replays list',
    run: (_, options: Reveal, context) => listReplays(options, context),
  }).option(...REVEAL);
  addCommand(replays, {
    usage: 'pause <id>',
    about: 'stop one for now',
    example: 'replays pause rpl_0123456789abcdef',
    run: ([id], _, context) => changeReplay(id as string, 'paused', context),
  });
  addCommand(replays, {
    usage: 'cancel <id>',
    about: 'stop one for good',
    example: 'replays cancel rpl_0123456789abcdef',
    run: ([id], _, context) => changeReplay(id as string, 'cancelled', context),
  });
  addCommand(replays, {
    usage: 'resume <id>',
    about: 'continue one where it was paused or cancelled',
    example: 'replays resume rpl_0123456789abcdef',
    run: ([id], _, context) => changeReplay(id as string, 'running', context),
  });
  addCommand(replays, {
    usage: 'failed <id>',
    about: 'list the deliveries of one that failed again',
    example: 'replays failed rpl_0123456789abcdef',
    run: ([id], _, context) => listFailed(id as string, context),
  });
};

const listReplays = async (options: Reveal, context: Context): Promise<void> => {
  const query = { ...WHOLE_PAGES.query, ...revealed(options) };
  const all = await connectApi(context.config).all('GET /v1/replays', { query });
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) return 'there are no replays of many deliveries yet';
    const rows = items.map(
      ({ id, createdAt, by, state, matched, replayed, delivered, failed, skipped, rate, selection }) => [
        id,
        shortTime(createdAt),
        by,
        state,
        `${replayed}/${matched ?? '?'}${skipped > 0 ? ` (${skipped} skipped)` : ''}`,
        String(delivered),
        String(failed),
        rate ?? '',
        Object.entries(selection)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ],
    );
    return table(['REPLAY', 'MADE', 'BY', 'STATE', 'SENT AGAIN', 'DELIVERED', 'FAILED AGAIN', 'RATE', 'WHAT'], rows);
  });
};

/** Pauses, cancels or resumes a replay. */
const changeReplay = async (id: string, state: 'running' | 'paused' | 'cancelled', context: Context): Promise<void> => {
  const changed = await connectApi(context.config).call('PATCH /v1/replays/{id}', { path: { id }, body: { state } });
  show(context, changed, progressOf);
};

/** Lists the deliveries that became dead letters again. */
const listFailed = async (id: string, context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/replays/{id}/failed', { path: { id }, ...WHOLE_PAGES });
  show(context, { items: all, next: null }, ({ items }) =>
    items.length === 0 ? 'none failed again' : items.join('\n'),
  );
};
