import type { DestinationDeclaration } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { addCommand } from '../../command.ts';
import { hinting, usageError } from '../../errors.ts';
import { type Context, show } from '../context.ts';
import { addSettings, type SettingOptions, settingsOf } from './settings.ts';

export const registerAdd = (destinations: Command): Command => {
  const command = addCommand(destinations, {
    usage: 'add <id>',
    about: 'add a destination',
    example: "destinations add crm --url https://crm.example.com/clickatell --events 'mo*'",
    run: ([id], options: AddOptions, context) => addDestination(id as string, options, context),
  }).option('--type <type>', 'webhook (signed POSTs) or pull (consumers lease over HTTP)', 'webhook');
  return addSettings(command).option('--replace', 'replace all settings of the one with this id, if there is one');
};

interface AddOptions extends SettingOptions {
  type: 'webhook' | 'pull';
  replace?: true;
}

const addDestination = async (id: string, { replace, ...options }: AddOptions, context: Context): Promise<void> => {
  if (options.type === 'webhook' && options.url === undefined) {
    throw usageError('a webhook destination needs --url; if consumers lease from it over HTTP, give --type pull');
  }
  const { CLICKRELAY_COMMAND: command } = context.config;
  const adding = connectApi(context.config).call('PUT /v1/destinations/{id}', {
    path: { id },
    query: { onlyNew: replace ? 'false' : 'true' },
    // The API checks it.
    body: settingsOf(options) as DestinationDeclaration,
  });
  const hint = `change single settings with \`${command} destinations update ${id}\`, or replace them all with --replace`;
  const destination = await hinting(adding, { destination_exists: hint });
  show(context, destination, ({ type, events: patterns, secret, warnings }) => {
    const lines = [`${id} (${type}) gets ${patterns.join(', ')} from now on`];
    const isNew = options.secret === undefined && typeof secret === 'string' && secret.startsWith('whsec_');
    if (isNew) lines.push(`its secret: ${secret}`);
    else if (type === 'webhook' && options.secret === undefined) {
      lines.push(`its secret has not changed; \`${command} destinations secret ${id}\` shows it`);
    }
    return [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n');
  });
};
