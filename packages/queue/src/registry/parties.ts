import { createHmac, randomBytes } from 'node:crypto';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Keyed hashes stand for phone numbers in the addresses of pages and in logs. There are few enough phone numbers to try
 * them all, so only the key protects the hashes; it never leaves this Redis.
 */

const KEY = `${REGISTRY}:party-key`;

/** What a keyed hash looks like. */
export const PARTY = /^pty_[\w-]{22}$/;

/** A number is the same with and without its plus. */
const digitsOf = (number: string): string => number.replaceAll(/\D/g, '');

/** @returns a function from a phone number to its `pty_` hash */
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
