import { createKey, listKeys, removeKey, SCOPES } from '@clickrelay/queue';
import { z } from 'zod';
import type { Caller } from './authenticate.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';

const scope = z.enum(SCOPES);

const key = z
  .object({
    id: z.string().describe('`key_…`'),
    name: z.string(),
    scopes: z.array(scope),
    destinations: z.array(z.string()).describe('The destinations that the scope `lease` is bound to'),
    createdAt: z.string(),
  })
  .meta({ id: 'Key' });

/** The id of a destination; `*` stands for any characters. */
const PATTERN = /^[a-z0-9*][a-z0-9*-]{0,62}$/;

const declaration = z
  .object({
    name: z.string().trim().min(1).max(100).describe('What the list of keys calls it'),
    scopes: z.array(scope).min(1).max(20),
    destinations: z
      .array(z.string().regex(PATTERN, 'must be ids of destinations; `*` stands for any characters'))
      .max(100)
      .default([])
      .describe('With the scope `lease`: which pull destinations, such as `support-bot` and `n8n-*`'),
  })
  .check(({ value: { scopes, destinations }, issues }) => {
    const isLease = scopes.includes('lease');
    if (isLease === destinations.length > 0) return;
    const message = isLease
      ? 'a key with the scope lease must be bound to destinations; `*` binds it to all'
      : 'only the scope lease is bound to destinations';
    issues.push({ code: 'custom', path: ['destinations'], message, input: undefined });
  });

/**
 * A key hands on what it has, and no more: else one with `admin` alone could give itself `reveal`.
 * @throws {RequestRefusedError} 403 `forbidden_scope`
 */
const assertHasItself = (
  { scopes, destinations }: Caller,
  wanted: { readonly scopes: readonly string[]; readonly destinations: readonly string[] },
): void => {
  const isBound = (pattern: string): boolean => destinations.includes('*') || destinations.includes(pattern);
  const lacking = [
    ...wanted.scopes.filter((one) => !(scopes as readonly string[]).includes(one)),
    ...wanted.destinations.filter((pattern) => !isBound(pattern)).map((pattern) => `lease from ${pattern}`),
  ];
  if (lacking.length === 0) return;
  const message = `a key gives only scopes that it has, and this one lacks ${lacking.join(', ')}; make the key with API_KEY`;
  throw new RequestRefusedError(403, 'forbidden_scope', message);
};

export const keyOperations = [
  operation({
    method: 'get',
    path: '/v1/whoami',
    summary: 'Show your key and what it may do',
    scopes: [],
    response: z.object({
      name: z.string(),
      scopes: z.array(scope),
      destinations: z.array(z.string()),
      version: z.string(),
    }),
    run: async (_request, { version }, { caller: { name, scopes, destinations } }) => ({
      name,
      scopes,
      destinations,
      version,
    }),
  }),
  operation({
    method: 'get',
    path: '/v1/keys',
    summary: 'List keys',
    description: 'Oldest first, without `API_KEY`.',
    scopes: ['admin'],
    query: pageQuery,
    response: pageOf(key),
    run: async ({ query }, { store }) =>
      pageThrough(await listKeys(store), ({ createdAt, id }) => `${createdAt}.${id}`, query),
  }),
  operation({
    method: 'post',
    path: '/v1/keys',
    summary: 'Create a key',
    description: 'With scopes that the key which makes it has too. It is shown this once.',
    scopes: ['admin'],
    body: declaration,
    status: 201,
    response: key.extend({ key: z.string().describe('`crk_…`') }).meta({ id: 'NewKey' }),
    run: async ({ body }, { store }, { caller, audit }) => {
      assertHasItself(caller, body);
      const { key: made, shown } = await createKey(store, body, Date.now());
      await audit('key.made', made.id, { name: made.name, scopes: made.scopes, destinations: made.destinations });
      return { ...made, key: shown };
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/keys/{id}',
    summary: 'Remove a key',
    description: 'From now on it is refused.',
    scopes: ['admin'],
    params: z.object({ id: z.string().describe('`key_…`') }),
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      const key = (await listKeys(store)).find((one) => one.id === id);
      if (key === undefined || !(await removeKey(store, id))) throw notFound('key', id);
      await audit('key.removed', id, { name: key.name, scopes: key.scopes, destinations: key.destinations });
    },
  }),
];
