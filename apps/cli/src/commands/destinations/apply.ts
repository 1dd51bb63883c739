import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { addCommand } from '../../command.ts';
import { CommandError, usageError } from '../../errors.ts';
import { type Context, show } from '../context.ts';

export const registerApply = (destinations: Command): Command =>
  addCommand(destinations, {
    usage: 'apply',
    about: 'add or change destinations as a file declares them; leave others alone',
    example: 'destinations apply -f destinations.yaml --dry-run',
    run: (_, options: ApplyOptions, context) => applyDestinations(options, context),
  })
    .requiredOption('-f, --file <file>', 'YAML with a list of destinations; - for standard input')
    .option('--dry-run', 'say what would change, but change nothing');

interface ApplyOptions {
  file: string;
  dryRun?: boolean;
}

const applyDestinations = async ({ file, dryRun }: ApplyOptions, context: Context): Promise<void> => {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${file} cannot be read (${error.code}); name a YAML file with a list of destinations`);
  });
  const declared = await readDeclarations(text, file, context.config.ADAPTERS);
  const body = { destinations: declared, dryRun: dryRun ?? false };
  const applied = await connectApi(context.config).call('POST /v1/destinations/apply', { body });
  show(context, applied, ({ items }) => {
    const lines = items.flatMap(({ id, change, fields, madeSecret, warnings }) => {
      const what = change === 'changed' ? `changed (${fields.join(', ')})` : change;
      const secret = madeSecret
        ? `; \`${context.config.CLICKRELAY_COMMAND} destinations secret ${id}\` shows its new secret`
        : '';
      const done = `${id}: ${dryRun ? what.replace(/^(added|changed)/, 'would be $1') : what}${secret}`;
      return [done, ...warnings.map((warning) => `${id}: warning: ${warning}`)];
    });
    return lines.length === 0 ? `${file} declares no destination` : lines.join('\n');
  });
};

const readDeclarations = async (text: string, file: string, adapters: readonly string[]) => {
  // Loaded only here, because it loads the settings of every adapter.
  const settings = await import('@clickrelay/destination-settings');
  const { createDestinationSettings, InvalidAdapterError, InvalidDestinationsError, loadAdapters } = settings;
  try {
    return createDestinationSettings(await loadAdapters(adapters)).parseFile(text, file);
  } catch (error) {
    if (!(error instanceof InvalidAdapterError || error instanceof InvalidDestinationsError)) throw error;
    throw new CommandError(error.code, error.message, { cause: error });
  }
};
