import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { PersonKeyMismatchError } from './errors.ts';
import { createPeople, PARTY } from './people.ts';

const KEY = 'a key of people in tests, long enough';

describe('people', () => {
  const { partyOf, conversationOf } = createPeople(KEY);

  it('are one party however a number is written, and two people are two', () => {
    const number = partyOf('27820000004');
    expect(number).toMatch(PARTY);
    for (const spelling of ['+27 82 000 0004', '0027820000004', '27-82-000-0004']) {
      expect(partyOf(spelling)).toBe(number);
    }
    const others = ['BR.1A2B3C', 'BR.1X2Y3Z', 'US.27820000004', 'ZA.1234567890abcdef', 'ZA.1234567890', '123', '12345'];
    expect(new Set([number, ...others.map(partyOf)]).size).toBe(others.length + 1);
  });

  it('have another hash under another key', () => {
    const other = createPeople(`${KEY}!`);
    expect(other.partyOf('27820000004')).not.toBe(partyOf('27820000004'));
    expect(other.conversationOf('1', '2')).not.toBe(conversationOf('1', '2'));
  });

  it('have one conversation, whoever wrote', () => {
    expect(conversationOf('27820000004', '+27 00 000 0001')).toBe(conversationOf('27000000001', '27820000004'));
    expect(conversationOf('27820000004', '27000000001')).not.toBe(conversationOf('27820000004', '27000000002'));
    expect(conversationOf('27820000004', '')).toMatch(/^[\w-]{22}$/);
  });
});

describe('the person key', () => {
  const context = useStore({ personKey: KEY });

  it('is the same for every process, and is not in Redis', async () => {
    await (await context.openStore()).ready();
    const other = await context.openStore({ personKey: `${KEY}!` });
    await expect(other.ready()).rejects.toThrow(PersonKeyMismatchError);
    await expect(other.ready()).rejects.toThrow(/`PERSON_KEY` is not the one .* began with/);
    const { redis } = context.store;
    for (const name of await redis.keys('*')) expect(JSON.stringify(await redis.dump(name))).not.toContain(KEY);
  });

  it('is told to a store that has been adopted', async () => {
    expect(await context.store.redis.keys('*person-key')).toHaveLength(0);
    await context.store.people.agree(context.store.redis);
    expect(await context.store.redis.keys('*person-key')).toHaveLength(1);
  });

  it('is needed by whoever names people', async () => {
    const without = await context.openStore({ personKey: undefined });
    expect(() => without.people.partyOf('27820000004')).toThrow('opened without a person key');
  });
});
