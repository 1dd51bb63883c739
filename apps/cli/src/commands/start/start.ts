import type { Command } from 'commander';
import { addCommand } from '../../command.ts';

export const registerStart = (program: Command): Command =>
  addCommand(program, {
    usage: 'start',
    about: 'run Clickrelay on this machine until Ctrl-C, with a Redis of its own unless REDIS_URL is set',
    example: 'start --roles receiver,worker,api',
    run: async (_, options: { roles?: string }, { json, environment, version }) => {
      const { start } = await import('./run-parts.ts');
      return start({ ...options, json }, { environment, version });
    },
  }).option('--roles <names>', 'parts to run here: receiver, worker, api (default: all)');
