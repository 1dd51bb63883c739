import { STATE_LUA, stateOf } from '../log/delivery-states.ts';
import { RECORD_LUA } from '../log/event-record.ts';
import { shardKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import type { UndecidedDelivery } from './judge-delivery.ts';
import readLedgerBatchLua from './read-ledger-batch.lua';

const READ_BATCH: Script = { name: 'readLedgerBatch', lua: RECORD_LUA + STATE_LUA + readLedgerBatchLua };

type Reply = [
  events: number,
  unrouted: number,
  last: string | null,
  counted: (string | number)[],
  undecided: (string | number)[],
];

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
  const { prefix, log } = shardKeys(shard);
  const since = JSON.stringify(Object.fromEntries(living));
  const args = [prefix, lowest, highest, size, since, destinationId];
  const [events, unrouted, last, counted, undecided] = await runScript<Reply>(store.redis, READ_BATCH, [log], args);
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

const inRows = <Value>(flat: readonly Value[], width: number): Value[][] =>
  Array.from({ length: flat.length / width }, (_, row) => flat.slice(row * width, (row + 1) * width));
