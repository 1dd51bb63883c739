import { eventKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { type AttemptRecord, type DecodedAttempt, decodeAttempt, encodeAttempt } from './attempt.ts';
import { fieldsAfter, REPLAY_OUTCOMES } from './attempt-log.ts';
import recordFirstLua from './record-first.lua';
import { MOVE_MARK_LUA, markOf } from './replay-outcomes.ts';

const RECORD_FIRST: Script = { name: 'recordFirst', lua: MOVE_MARK_LUA + recordFirstLua };

/**
 * Records how a lease ended, unless its end is recorded already: an ack, a nack and the end of its time may come at the
 * same moment, and the first one holds.
 * @returns the attempt that holds, and whether it is this one
 */
export const recordFirst = async (
  store: Store,
  attempt: AttemptRecord,
): Promise<{ readonly attempt: DecodedAttempt; readonly isNew: boolean }> => {
  const { eventId, replayId, outcome, startedAtMs } = attempt;
  const { keys, args } =
    replayId === undefined ? { keys: [], args: [] } : markOf({ ...attempt, replayId }, REPLAY_OUTCOMES[outcome.kind]);
  const before = await runScript<string | null>(
    store.redis,
    RECORD_FIRST,
    [eventKeys(eventId).deliveries, ...keys],
    [...fieldsAfter(attempt), ...args],
  );
  return { attempt: decodeAttempt(startedAtMs, before ?? encodeAttempt(attempt)), isNew: before === null };
};
