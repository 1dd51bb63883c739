import { shardOf } from '@clickrelay/core';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { isSlotMoving } from '../redis/explain-error.ts';
import { createGroupCommit, type GroupCommit } from '../redis/group-commit.ts';
import { eventKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { type AttemptRecord, attemptField, encodeAttempt } from './attempt.ts';
import { markReplayed } from './replay-outcomes.ts';

export interface AttemptLog {
  /** Resolves when the attempt, and the delivery's state after it, are on disk. */
  record(attempt: AttemptRecord): Promise<void>;
  drained(): Promise<void>;
}

export interface AttemptLogOptions {
  /**
   * How long a record waits for others to share its write with, in ms. The wait delays no delivery: the attempt is
   * over, and each record that joins a write spares Redis an fsync.
   * @default 25
   */
  readonly lingerMs?: number;
  /** Told of each attempt that is to be recorded. */
  readonly onRecord?: (attempt: AttemptRecord) => void;
}

/** Records of attempts that end at about the same time share a write. */
export const createAttemptLog = (store: Store, { lingerMs = 25, onRecord }: AttemptLogOptions = {}): AttemptLog => {
  const newGroup = (): GroupCommit<AttemptRecord> =>
    createGroupCommit<AttemptRecord>({
      maxItems: 200,
      lingerMs,
      write: async (all) => {
        const attempts = all.filter(({ replayId }) => replayId === undefined);
        await Promise.all([
          attempts.length > 0 && recordTogether(store, attempts),
          ...all.map((attempt) => attempt.replayId !== undefined && recordReplayed(store, attempt, attempt.replayId)),
        ]);
      },
    });
  // On a Cluster a script keeps to one tag, and a shard that cannot be used holds up no other.
  const groups = new Map<number, GroupCommit<AttemptRecord>>();
  const groupOf = ({ eventId }: AttemptRecord): GroupCommit<AttemptRecord> => {
    const shard = store.isCluster ? shardOf(eventId) : 0;
    const group = groups.get(shard) ?? newGroup();
    groups.set(shard, group);
    return group;
  };
  return {
    record: (attempt) => {
      onRecord?.(attempt);
      return groupOf(attempt).add(attempt);
    },
    drained: async () => {
      await Promise.all([...groups.values()].map((group) => group.drained()));
    },
  };
};

/* KEYS: deliveries of each attempt's event. ARGV: of each attempt destination, state after it, field, attempt. */
const RECORD_ATTEMPTS: Script = {
  name: 'recordAttempts',
  lua: `
for i, key in ipairs(KEYS) do
  local at = 4 * i - 3
  redis.call('HSET', key, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end`,
};

const recordTogether = async (store: Store, attempts: readonly AttemptRecord[]): Promise<void> => {
  const keys = attempts.map(({ eventId }) => eventKeys(eventId).deliveries);
  try {
    await runScript(store.redis, RECORD_ATTEMPTS, keys, attempts.flatMap(fieldsAfter));
  } catch (error) {
    if (!isSlotMoving(error)) throw error;
    // What is not written down is attempted again. A command with one key is carried out also while its slot moves.
    await sendAll(
      store,
      attempts.map((attempt, at): RedisCommand => ['hset', keys[at] as string, ...fieldsAfter(attempt)]),
    );
  }
};

export const REPLAY_OUTCOMES = { delivered: 'delivered', retry: 'sent', dead_letter: 'failed' } as const;

const recordReplayed = (store: Store, attempt: AttemptRecord, replayId: string): Promise<void> =>
  markReplayed(store, { ...attempt, replayId }, REPLAY_OUTCOMES[attempt.outcome.kind], fieldsAfter(attempt));

/** The state of the delivery after an attempt. */
const STATES_AFTER = { delivered: 'delivered', retry: 'pending', dead_letter: 'dead_letter' } as const;

/** What is written of an attempt: the delivery's state after it, and the attempt. */
export const fieldsAfter = (attempt: AttemptRecord): string[] => [
  attempt.destinationId,
  STATE_LETTERS[STATES_AFTER[attempt.outcome.kind]],
  attemptField(attempt.destinationId, attempt.startedAtMs),
  encodeAttempt(attempt),
];
