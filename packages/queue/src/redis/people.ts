import { createHmac } from 'node:crypto';
import { personOf } from '@clickrelay/core';
import type { RedisClient } from './connection.ts';
import { PersonKeyMismatchError } from './errors.ts';
import { REGISTRY } from './names.ts';

/*
 * Keyed hashes stand for people in the names of keys, in the addresses of pages and in logs. There are few enough phone
 * numbers to try them all within minutes, so only the key protects the hashes: it is never in the Redis that holds them,
 * nor in a copy of it. Redis keeps what a key makes of a fixed text, by which a wrong one is noticed.
 */

const FINGERPRINT = `${REGISTRY}:person-key`;

/** What the keyed hash of a person looks like. */
export const PARTY = /^pty_[\w-]{22}$/;

export interface People {
  /** The `pty_` hash of who sent or got a message, however a number is written. */
  partyOf(address: string): string;
  /** The name of what two people write to each other, whoever wrote. */
  conversationOf(one: string, other: string): string;
  /**
   * Tells a Redis without one the fingerprint of the key, and compares it with that of another.
   * @throws {PersonKeyMismatchError}
   */
  agree(redis: RedisClient): Promise<void>;
}

/** How many people are remembered with their hash. A hash costs some µs, and pages show the same people again and again. */
const MOST_KNOWN = 10_000;

export const createPeople = (personKey: string): People => {
  const hash = (text: string): string => createHmac('sha256', personKey).update(text).digest('base64url').slice(0, 22);
  const known = new Map<string, string>();
  return {
    partyOf: (address) => {
      const person = personOf(address);
      const before = known.get(person);
      if (before !== undefined) return before;
      if (known.size === MOST_KNOWN) known.clear();
      const party = `pty_${hash(`party ${person}`)}`;
      known.set(person, party);
      return party;
    },
    conversationOf: (one, other) => hash(`conversation ${JSON.stringify([one, other].map(personOf).sort())}`),
    agree: async (redis) => {
      const ours = hash('the key of people');
      await redis.setnx(FINGERPRINT, ours);
      if ((await redis.get(FINGERPRINT)) !== ours) throw new PersonKeyMismatchError();
    },
  };
};

/** Of a process that names nobody. */
export const nobody: People = {
  partyOf: () => refuse(),
  conversationOf: () => refuse(),
  agree: async () => {},
};

const refuse = (): never => {
  throw new Error('this store was opened without a person key');
};
