import { SHARDS } from '@clickrelay/core';
import { shardKeys } from '../redis/names.ts';
import { defineCursor } from '../redis/page.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/** A place in the log: by the server's microseconds, then by id. */
export interface Place {
  readonly score: number;
  readonly id: string;
}

const CURSOR = defineCursor({ score: /\d{1,17}/, id: /evt_[\w-]{22}|/ });

export const writePlace = (place: Place): string => CURSOR.write({ ...place });

export const readPlace = (cursor: string | undefined): Place | undefined => {
  const place = CURSOR.read(cursor);
  return place && { score: Number(place.score), id: place.id };
};

const comparePlaces = (a: Place, b: Place): number => a.score - b.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** The next places in the order of logging, across all shards. */
export const nextPlaces = async (
  store: Store,
  {
    after,
    lowest,
    highest,
    order,
    count,
  }: { after: Place | undefined; lowest: number; highest: number; order: 'asc' | 'desc'; count: number },
): Promise<Place[]> => {
  // Events spread over the shards: read twice a shard's part of them. Places of the cursor's own microsecond are read
  // again and skipped. While a shard may have more of either than were read, read more.
  for (let perShard = Math.ceil((2 * count) / SHARDS) + 16; ; perShard *= 4) {
    const commands: RedisCommand[] = [];
    for (let shard = 0; shard < SHARDS; shard++) {
      const { log } = shardKeys(shard);
      const [command, from, to] =
        order === 'asc'
          ? ['zrangebyscore', Math.max(lowest, after?.score ?? 0), highest]
          : ['zrevrangebyscore', Math.min(highest, after?.score ?? highest), lowest];
      commands.push([command as string, log, from as number, to as number, 'WITHSCORES', 'LIMIT', 0, perShard]);
    }
    const sign = order === 'asc' ? 1 : -1;
    const places: Place[] = [];
    /** Beyond it, a shard that was not read to its end may have others. */
    let horizon: Place | undefined;
    for (const reply of await sendAll(store, commands)) {
      const read = pairs(reply).map(([id, score]) => ({ id, score: Number(score) }));
      places.push(...read.filter((place) => after === undefined || sign * comparePlaces(place, after) > 0));
      const last = read.at(-1);
      if (last === undefined || read.length < perShard) continue;
      if (horizon === undefined || sign * comparePlaces(last, horizon) < 0) horizon = last;
    }
    const edge = horizon;
    const known = edge === undefined ? places : places.filter((place) => sign * comparePlaces(place, edge) <= 0);
    if (edge === undefined || known.length >= count) {
      return known.sort((a, b) => sign * comparePlaces(a, b)).slice(0, count);
    }
  }
};

const pairs = (flat: unknown): [string, string][] => {
  const list = flat as string[];
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) result.push([list[i] as string, list[i + 1] as string]);
  return result;
};
