import { SHARDS } from '@clickrelay/core';
import { expect, it } from 'vitest';
import { keySlot } from './key-slot.ts';
import { destinationQueue, INGEST_SHARDS, ingestQueue, LANES, shardKeys } from './names.ts';

/*
 * Where the tags of the data layout fall on a Cluster whose masters have equal ranges of the slots. Other names of the
 * tags would fall elsewhere: whoever changes them sees it here, and in docs/operations.md.
 */

const SLOTS = 16_384;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** What the fullest master has, as a multiple of its share; and the emptiest. */
const spread = (tags: readonly string[], masters: number): string => {
  const counts = upTo(masters).map(() => 0);
  for (const tag of tags) {
    const master = Math.floor((keySlot(tag) * masters) / SLOTS);
    counts[master] = (counts[master] ?? 0) + 1;
  }
  const share = tags.length / masters;
  return [Math.max(...counts), Math.min(...counts)].map((most) => (most / share).toFixed(2)).join(' / ');
};

const TAGS = {
  events: upTo(SHARDS).map((shard) => shardKeys(shard).log),
  ingest: LANES.flatMap((lane) => upTo(INGEST_SHARDS).map((shard) => ingestQueue(lane, shard).prefix)),
  destinations: [...new Set(upTo(10_000).map((at) => destinationQueue(`dst-${at}`).prefix))],
};

it('the tags of a Cluster of 3 to 12 masters: the fullest has at most one and a half times its share', () => {
  expect(TAGS.destinations).toHaveLength(64);
  const table = upTo(10).map((at) => {
    const masters = at + 3;
    return `${String(masters).padStart(2)}: ${Object.values(TAGS)
      .map((tags) => spread(tags, masters))
      .join(' | ')}`;
  });
  console.log(`masters: ${Object.keys(TAGS).join(' | ')}\n${table.join('\n')}`);
  expect(`\n${table.join('\n')}\n`).toMatchInlineSnapshot(`
    "
     3: 1.03 / 0.98 | 1.13 / 0.94 | 1.08 / 0.89
     4: 1.00 / 1.00 | 1.00 / 1.00 | 1.00 / 1.00
     5: 1.09 / 0.86 | 1.25 / 0.78 | 1.17 / 0.86
     6: 1.13 / 0.84 | 1.31 / 0.75 | 1.22 / 0.84
     7: 1.31 / 0.66 | 1.31 / 0.88 | 1.31 / 0.77
     8: 1.25 / 0.75 | 1.00 / 1.00 | 1.25 / 0.75
     9: 1.27 / 0.56 | 1.13 / 0.56 | 1.27 / 0.56
    10: 1.25 / 0.78 | 1.25 / 0.31 | 1.25 / 0.63
    11: 1.38 / 0.52 | 1.38 / 0.34 | 1.38 / 0.34
    12: 1.31 / 0.75 | 1.50 / 0.00 | 1.50 / 0.56
    "
  `);
});
