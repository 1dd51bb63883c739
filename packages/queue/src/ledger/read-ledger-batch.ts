import { STATE_LUA, stateOf } from '../log/delivery-states.ts';
import { RECORD_LUA } from '../log/event-record.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import type { UndecidedDelivery } from './judge-delivery.ts';
import readLedgerBatchLua from './read-ledger-batch.lua';

const READ_BATCH: Script = { name: 'readLedgerBatch', lua: RECORD_LUA + STATE_LUA + readLedgerBatchLua };

type Reply = [events: number, unrouted: number, counted: (string | number)[], undecided: (string | number)[]];

/** What one batch of one shard of the log says. */
export interface LedgerBatch {
  readonly events: number;
  /** Those of them that no destination wanted. */
  readonly unrouted: number;
  readonly counted: readonly {
    readonly destinationId: string;
    readonly delivered: number;
    readonly removed: number;
  }[];
  readonly undecided: readonly UndecidedDelivery[];
  /** Where the next batch of the shard begins, behind this score; null at its end. */
  readonly last: string | null;
}

export interface BatchToRead {
  readonly shard: number;
  /** Scores of the log, lowest and highest, as ZRANGE takes them. */
  readonly lowest: string;
  readonly highest: string;
  /** Redis serves nobody else while the script runs. */
  readonly size: number;
  /** Of each destination the score since when it is there. */
  readonly living: ReadonlyMap<string, number>;
  /** Only this one. */
  readonly destinationId?: string | undefined;
}

export const readLedgerBatch = async (
  store: Store,
  { shard, lowest, highest, size, living, destinationId = '' }: BatchToRead,
): Promise<LedgerBatch> => {
  const { places, last } = await readPlaces(store, shard, { lowest, highest, size });
  const keys = places.flatMap(({ id }) => [eventKeys(id).record, eventKeys(id).deliveries]);
  const since = JSON.stringify(Object.fromEntries(living));
  const args = [since, destinationId, ...places.flatMap(({ id, score }) => [id, score])];
  const [events, unrouted, counted, undecided] =
    places.length === 0 ? EMPTY : await runScript<Reply>(store.redis, READ_BATCH, keys, args);
  return {
    events,
    unrouted,
    last,
    counted: inRows(counted, 3).map(([id, delivered, removed]) => ({
      destinationId: String(id),
      delivered: Number(delivered),
      removed: Number(removed),
    })),
    undecided: inRows(undecided, 6).map(([eventId, claim, id, letter, tried, earlier]) => ({
      eventId: String(eventId),
      claim: String(claim),
      destinationId: String(id),
      state: stateOf(String(letter)),
      wasTried: tried === 1,
      isOfEarlier: earlier === 1,
    })),
  };
};

const EMPTY: Reply = [0, 0, [], []];

/**
 * Where the events of a batch stand in the log, and the last score when there are more. Events of one microsecond stay
 * together, as the next batch begins behind that score.
 */
const readPlaces = async (
  store: Store,
  shard: number,
  { lowest, highest, size }: Pick<BatchToRead, 'lowest' | 'highest' | 'size'>,
): Promise<{ places: { id: string; score: string }[]; last: string | null }> => {
  const { log } = shardKeys(shard);
  const entries = await store.redis.zrange(log, lowest, highest, 'BYSCORE', 'LIMIT', 0, size, 'WITHSCORES');
  const places = inRows(entries, 2).map(([id = '', score = '']) => ({ id, score }));
  const last = places.length < size ? undefined : places.at(-1)?.score;
  if (last === undefined) return { places, last: null };
  const ofLast = await store.redis.zrange(log, last, last, 'BYSCORE');
  return {
    places: [...places.filter(({ score }) => score !== last), ...ofLast.map((id) => ({ id, score: last }))],
    last,
  };
};

const inRows = <Value>(flat: readonly Value[], width: number): Value[][] =>
  Array.from({ length: flat.length / width }, (_, row) => flat.slice(row * width, (row + 1) * width));
