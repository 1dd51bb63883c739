import { matchesEventType } from '@clickrelay/core';
import type { Scope } from '@clickrelay/queue';
import type { Caller } from './authenticate.ts';
import { RequestRefusedError } from './errors.ts';
import type { Operation } from './operation.ts';

/**
 * Finds the scope that lets a caller carry out an operation.
 * @throws {RequestRefusedError} 403 `forbidden_scope`
 */
export const authorize = ({ scopes }: Pick<Operation, 'scopes'>, caller: Caller): Scope | undefined => {
  const granted = scopes.find((scope) => caller.scopes.includes(scope));
  if (granted === undefined && scopes.length > 0) {
    throw new RequestRefusedError(
      403,
      'forbidden_scope',
      `this needs a key with the scope ${scopes.join(' or ')}; this key has ${caller.scopes.join(', ')}`,
    );
  }
  return granted;
};

/** Patterns work as those of event types do: only `*` is special. */
export const isBoundTo = ({ destinations }: Caller, destinationId: string): boolean =>
  destinations.some((pattern) => matchesEventType(pattern, destinationId));

/**
 * The scope `lease` covers only the destinations that a key is bound to.
 * @throws {RequestRefusedError} 403 `forbidden_destination`
 */
export const assertBoundTo = (caller: Caller, destinationId: string): void => {
  if (isBoundTo(caller, destinationId)) return;
  throw new RequestRefusedError(
    403,
    'forbidden_destination',
    `this key is not bound to ${destinationId.slice(0, 120)}; it is to: ${caller.destinations.join(', ')}`,
  );
};
