import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import { suggest } from '../completion/suggest.ts';
import { readConfig } from '../config.ts';
import { usageError } from '../errors.ts';
import { show } from './context.ts';

export const registerCompletion = (program: Command): void => {
  addCommand(program, {
    usage: 'completion <shell>',
    about: 'print what makes bash, zsh or fish complete this command',
    example: 'completion bash',
    run: async ([shell = ''], _, context) => {
      if (!(shell in SCRIPTS)) throw usageError(`completion takes bash, zsh or fish; got ${shell}`);
      const script = SCRIPTS[shell as keyof typeof SCRIPTS];
      show(context, { shell, script }, () => script);
    },
  });
  // What those ask at each Tab. It says nothing but words: an error would land in the middle of a command line.
  program.command('complete [words...]', { hidden: true }).action(async (words: string[]) => {
    const found = await suggest(program, words, () => listDestinationIds().catch(() => []));
    process.stdout.write(found.map(({ word, about }) => `${word}\t${about}\n`).join(''));
  });
};

/** A person waits at the prompt. */
const LONGEST_MS = 300;

const listDestinationIds = async (): Promise<string[]> => {
  const api = connectApi(readConfig(process.env));
  const { items } = await api.call('GET /v1/destinations', {
    query: { limit: 500 },
    signal: AbortSignal.timeout(LONGEST_MS),
  });
  return items.map(({ id }) => id);
};
