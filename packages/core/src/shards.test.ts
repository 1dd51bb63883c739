import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyJson } from '../test/json-values.ts';
import { eventId, SHARDS, shardOf } from './event-id.ts';

describe('an event id', () => {
  it('names its shard', () => {
    fc.assert(
      fc.property(fc.string(), anyJson, (type, value) => {
        const shard = shardOf(eventId('i', type, value));
        expect(Number.isInteger(shard) && shard >= 0 && shard < SHARDS).toBe(true);
      }),
    );
    expect(
      ['evt_AAAAAAAAAAAAAAAAAAAAAA', 'evt_BAAAAAAAAAAAAAAAAAAAAA', 'evt_-AAAAA', 'evt__AAAA', '', 'x'].map(shardOf),
    ).toEqual([0, 1, 62, 63, 0, 0]);
  });

  it('shares the shard of its conversation, whoever wrote', () => {
    const shards = (integrationId: string, pairs: [string, string][]) =>
      pairs.map(([from, to], at) => shardOf(eventId(integrationId, at % 2 ? 'moText' : 'moMedia', { from, to, at })));
    expect(
      new Set(
        shards('i', [
          ['1', '2'],
          ['2', '1'],
          ['1', '2'],
        ]),
      ).size,
    ).toBe(1);
    expect(
      new Set(
        [1, 2, 3].map((statusCode) => shardOf(eventId('i', 'messageStatusUpdate', { messageId: 'm', statusCode }))),
      ).size,
    ).toBe(1);
  });

  it('spreads conversations over all shards evenly', () => {
    const conversations = Array.from({ length: 6400 }, (_, at) => String(27821000000 + at));
    for (const id of [
      (phone: string) => eventId('i', 'moText', { from: phone, to: '2799900002' }),
      (phone: string) => eventId('i', 'messageStatusUpdate', { messageId: phone }),
      (phone: string) => eventId('i', 'moSticker', { phone }),
    ]) {
      const counts = new Array<number>(SHARDS).fill(0);
      for (const phone of conversations) {
        const shard = shardOf(id(phone));
        counts[shard] = (counts[shard] as number) + 1;
      }
      // 100 each on average; a fair spread stays within five standard deviations.
      expect(Math.min(...counts)).toBeGreaterThan(50);
      expect(Math.max(...counts)).toBeLessThan(150);
    }
  });
});
