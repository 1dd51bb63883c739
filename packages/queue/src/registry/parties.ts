import { createHmac, randomBytes } from 'node:crypto';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A phone number as it may stand in an address of a page or in a log: its keyed hash. Numbers are few enough to be tried
 * one by one, so the key is what keeps them apart from their hashes; it stays in this Redis.
 */

const KEY = `${REGISTRY}:party-key`;

/** What a keyed hash looks like. */
export const PARTY = /^pty_[\w-]{22}$/;

/** Only its digits: a number is the same with and without its plus. */
const digitsOf = (number: string): string => number.replaceAll(/\D/g, '');

/** @returns gives the `pty_` hash of a number */
export const openParties = async (store: Store): Promise<(number: string) => string> => {
  await store.redis.setnx(KEY, randomBytes(32).toString('base64'));
  const key = Buffer.from((await store.redis.get(KEY)) ?? '', 'base64');
  const known = new Map<string, string>();
  return (number) => {
    const digits = digitsOf(number);
    const before = known.get(digits);
    if (before !== undefined) return before;
    const party = `pty_${createHmac('sha256', key).update(digits).digest('base64url').slice(0, 22)}`;
    known.set(digits, party);
    return party;
  };
};
