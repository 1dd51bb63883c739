import type { RequestOf } from '@clickrelay/client';
import { connectApi } from '../api-client.ts';
import { shortTime, table } from '../format.ts';
import { type Context, show, WHOLE_PAGES } from './context.ts';

export interface CreateOptions {
  scopes: string;
  destinations?: string;
}

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Makes a key, which is shown this once. */
export const createKey = async (name: string, options: CreateOptions, context: Context): Promise<void> => {
  const made = await connectApi(context.config).call('POST /v1/keys', {
    body: {
      name,
      // The API says which there are.
      scopes: listOf(options.scopes) as RequestOf<'POST /v1/keys'>['body']['scopes'],
      ...(options.destinations === undefined ? {} : { destinations: listOf(options.destinations) }),
    },
  });
  show(context, made, ({ id, key, scopes, destinations }) => {
    const where = destinations.length === 0 ? '' : ` from ${destinations.join(', ')}`;
    return `${id} (${name}) may ${scopes.join(', ')}${where}\nthe key, shown this once: ${key}`;
  });
};

export const listKeys = async (context: Context): Promise<void> => {
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

export const removeKey = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/keys/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed; it opens nothing from now on`);
};
