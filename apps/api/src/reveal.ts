import type { z } from 'zod';
import { type Caller, OWNER } from './authenticate.ts';
import { RequestRefusedError } from './errors.ts';
import type { Exchange, Operation, revealQuery } from './operation.ts';

/**
 * Whether the caller sees personal data: it must ask, and its key must have the scope. The holder of `API_KEY` can read
 * Redis as well, and sees everything unless it asks not to.
 * @throws {RequestRefusedError} 403 `forbidden_scope`
 */
export const wantsPersonalData = (caller: Caller, { reveal }: z.output<typeof revealQuery>): boolean => {
  if (reveal === undefined) return caller === OWNER;
  if (reveal === 'true' && !caller.scopes.includes('reveal')) {
    throw new RequestRefusedError(
      403,
      'forbidden_scope',
      `personal data is shown to keys with the scope reveal; this key has ${caller.scopes.join(', ')}`,
    );
  }
  return reveal === 'true';
};

/** Records, before it is shown, that personal data is shown. An empty list shows nothing. */
export const recordReveal = async (
  operation: Pick<Operation, 'method' | 'path'>,
  { path, answer, audit }: { path: string; answer: unknown } & Pick<Exchange, 'audit'>,
): Promise<void> => {
  const items = (answer as { items?: readonly unknown[] }).items;
  if (items === undefined) return await audit('personal_data.revealed', path.slice(0, 200));
  if (items.length === 0) return;
  const [first, last] = [items[0], items.at(-1)].map(idOf);
  await audit('personal_data.revealed', operation.path, { items: items.length, first, last });
};

const ID_FIELDS = ['deliveryId', 'id', 'messageId'] as const;

const idOf = (item: unknown): unknown => {
  const fields = item as Readonly<Record<string, unknown>>;
  return ID_FIELDS.map((name) => fields[name]).find((id) => typeof id === 'string') ?? null;
};
