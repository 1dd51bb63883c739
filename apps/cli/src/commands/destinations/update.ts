import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { listOf } from '../../arguments.ts';
import { addCommand } from '../../command.ts';
import { usageError } from '../../errors.ts';
import { type Context, show } from '../context.ts';
import { addSettings, type SettingOptions, settingsOf } from './settings.ts';

export const registerUpdate = (destinations: Command): Command => {
  const command = addCommand(destinations, {
    usage: 'update <id>',
    about: 'change the settings that are given; the others stay as they are',
    example: 'destinations update crm --timeout-ms 5000 --clear filter,rate',
    run: ([id], options: UpdateOptions, context) => updateDestination(id as string, options, context),
  });
  return addSettings(command)
    .option('--clear <names>', 'settings to remove, comma-separated: filter,rate; --header x-api-key= removes a header')
    .addHelpText('after', '\nA default in brackets is what a new destination gets, and one whose setting is removed.');
};

interface UpdateOptions extends SettingOptions {
  clear?: string;
}

const updateDestination = async (id: string, { clear, ...options }: UpdateOptions, context: Context): Promise<void> => {
  const removed = clear === undefined ? [] : listOf(clear);
  const body = { ...settingsOf(options), ...Object.fromEntries(removed.map((name) => [name, null])) };
  const names = Object.keys(body);
  if (names.length === 0) throw usageError('say what to change, such as --timeout-ms 5000 or --clear filter');
  const changed = await connectApi(context.config).call('PATCH /v1/destinations/{id}', { path: { id }, body });
  show(context, changed, ({ warnings }) =>
    [`${id} is changed: ${names.join(', ')}`, ...warnings.map((warning) => `warning: ${warning}`)].join('\n'),
  );
};
