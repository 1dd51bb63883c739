import { createHmac, randomBytes } from 'node:crypto';
import { personOf } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Keyed hashes stand for people in the addresses of pages and in logs. There are few enough phone numbers to try
 * them all, so only the key protects the hashes; it never leaves this Redis.
 */

const KEY = `${REGISTRY}:party-key`;

/** What a keyed hash looks like. */
export const PARTY = /^pty_[\w-]{22}$/;

/** @returns a function from who sent or got a message, however a number is written, to the `pty_` hash */
export const openParties = async (store: Store): Promise<(address: string) => string> => {
  await store.redis.setnx(KEY, randomBytes(32).toString('base64'));
  const key = Buffer.from((await store.redis.get(KEY)) ?? '', 'base64');
  const known = new Map<string, string>();
  return (address) => {
    const person = personOf(address);
    const before = known.get(person);
    if (before !== undefined) return before;
    const party = `pty_${createHmac('sha256', key).update(person).digest('base64url').slice(0, 22)}`;
    known.set(person, party);
    return party;
  };
};
