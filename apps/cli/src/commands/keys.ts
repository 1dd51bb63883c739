import type { RequestOf } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { listOf } from '../arguments.ts';
import { addCommand, addGroup } from '../command.ts';
import { table } from '../format.ts';
import { shortTime } from '../time.ts';
import { type Context, show, WHOLE_PAGES } from './context.ts';

export const registerKeys = (program: Command): void => {
  const keys = addGroup(program, 'keys', 'API keys for programs');
  addCommand(keys, {
    usage: 'list',
    about: 'list keys, oldest first',
    example: 'keys list',
    run: (_, __, context) => listKeys(context),
  });
  addCommand(keys, {
    usage: 'create <name>',
    about: 'make a key; it is shown only now',
    example: 'keys create n8n --scopes lease --destinations n8n-*',
    run: ([name], options: CreateOptions, context) => createKey(name as string, options, context),
  })
    .requiredOption('--scopes <names>', 'read, reveal, replay, admin, lease; comma-separated')
    .option(
      '--destinations <ids>',
      'destinations that it may lease from, comma-separated; * stands for any characters',
    );
  addCommand(keys, {
    usage: 'remove <id>',
    about: 'remove a key',
    example: 'keys remove key_5a0c1f9e77d2',
    run: ([id], _, context) => removeKey(id as string, context),
  });
};

interface CreateOptions {
  scopes: string;
  destinations?: string;
}

const createKey = async (name: string, options: CreateOptions, context: Context): Promise<void> => {
  const made = await connectApi(context.config).call('POST /v1/keys', {
    body: {
      name,
      // The API checks them.
      scopes: listOf(options.scopes) as RequestOf<'POST /v1/keys'>['body']['scopes'],
      ...(options.destinations === undefined ? {} : { destinations: listOf(options.destinations) }),
    },
  });
  show(context, made, ({ id, key, scopes, destinations }) => {
    const where = destinations.length === 0 ? '' : ` from ${destinations.join(', ')}`;
    return `${id} (${name}) may ${scopes.join(', ')}${where}\nthe key, shown only now: ${key}`;
  });
};

const listKeys = async (context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/keys', WHOLE_PAGES);
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) return 'no keys beside API_KEY';
    const rows = items.map(({ id, name, scopes, destinations, createdAt }) => [
      id,
      name,
      scopes.join(','),
      destinations.join(','),
      shortTime(createdAt),
    ]);
    return table(['KEY', 'NAME', 'SCOPES', 'DESTINATIONS', 'CREATED'], rows);
  });
};

const removeKey = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/keys/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed; it no longer opens anything`);
};
