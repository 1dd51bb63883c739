import { readsOfFilter } from '@clickrelay/routing';
import type { Caller } from './authenticate.ts';
import { RequestRefusedError } from './errors.ts';
import { isShownField } from './mask.ts';
import type { Exchange } from './operation.ts';

/*
 * Who may ask whether a filter is true for an event. The answer tells something of each field that the filter reads:
 * `startsWith`, asked often enough, tells a whole text.
 */

/** The fields that a filter reads and that masking hides, such as `from` and `data.text`; `event` for all of it. */
export const hiddenFieldsIn = (filter: string): string[] => {
  const hidden = readsOfFilter(filter).fields.filter((field) => !isShownField(field));
  return [...new Set(hidden.map(({ path }) => path.join('.') || 'event'))];
};

/**
 * Lets a request ask with a filter, and records it when the filter reads what is hidden.
 * @throws {RequestRefusedError} 403 `forbidden_scope`
 */
export const allowFilter = async (
  filter: string | undefined,
  { operation, caller, audit }: { operation: string } & Pick<Exchange, 'caller' | 'audit'>,
): Promise<void> => {
  const fields = filter === undefined ? [] : hiddenFieldsIn(filter);
  if (fields.length === 0) return;
  if (!caller.scopes.includes('reveal')) {
    throw new RequestRefusedError(
      403,
      'forbidden_scope',
      `a filter over personal data (${fields.join(', ')}) needs the scope reveal; this key has ${caller.scopes.join(', ')}`,
    );
  }
  await audit('personal_data.searched', operation, { fields });
};

/**
 * Whether a caller could learn hidden data by giving a destination one filter after another and asking which events it
 * matches. A key that leases may see the whole events of its destinations, earlier ones too.
 */
export const couldSearchBy = ({ scopes }: Caller, filter: string | undefined): boolean =>
  scopes.includes('admin') && !scopes.includes('reveal') && filter !== undefined && hiddenFieldsIn(filter).length > 0;
