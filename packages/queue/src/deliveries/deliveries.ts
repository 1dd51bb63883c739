import { type DeliveryError, deliveryId, type LoggedEvent, parseDeliveryId, shardOf } from '@clickrelay/core';
import type { Result } from 'ioredis';
import type { DeadLetterKind, Outcome } from '../jobs/outcome.ts';
import { type KeptState, STATE_LETTERS, stateOf } from '../log/delivery-states.ts';
import { decodeRecord } from '../log/read-event.ts';
import { createGroupCommit } from '../redis/group-commit.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import { addJobs, type Store } from '../redis/store.ts';
import { markReplayed } from './replay-outcomes.ts';

/*
 * What is owed and what was done is written beside the event, in the hash `cr:{eNN}:<event id>:d`:
 *
 *   <destination id>                    state of the delivery
 *   <destination id>#<started at, ms>   one attempt
 *
 * A job in the destination's queue exists only while there is work left: waiting, delayed, active, or failed (a dead
 * letter). Its id is the event id, so the same delivery can never be queued twice.
 */

export type DeliveryState = Exclude<KeptState, 'given_up'>;

/** A dead letter that was given up is no delivery any more. */
const deliveryStateOf = (letter: string | null | undefined): DeliveryState | undefined => {
  const state = stateOf(letter);
  return state === 'given_up' ? undefined : state;
};

/** One try at a delivery. */
export interface Attempt {
  /** From 1, in the order of time. */
  readonly number: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: Outcome['kind'];
  readonly status: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The first 16 KB of the answer. */
  readonly response: string;
}

/** One event to one destination. */
export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly destinationId: string;
  readonly state: DeliveryState;
  readonly attempts: Attempt[];
  /** When the next attempt is due; null when none is, or when it waits its turn. */
  readonly nextAttemptAt: string | null;
}

// -- jobs -------------------------------------------------------------------------------------------------------

/** What a delivery job carries beyond its id. Empty for most: every byte is paid for each waiting delivery. */
export interface DeliveryJob {
  /** Attempts made before the job was. */
  readonly a?: number;
  /** The last of those ended the delivery: the reason. */
  readonly x?: string;
  /** Why it ended, when that is not that it was refused. */
  readonly k?: DeadLetterKind;
  /** Asked for by a person: sent although it was delivered before. The replay of many, `rpl_…`, or 1 for it alone. */
  readonly r?: 1 | string;
  /** W3C `traceparent` that its attempts are part of. */
  readonly t?: string;
}

/** The replay of many that a delivery is part of. */
export const replayOf = ({ r }: DeliveryJob): string | undefined => (typeof r === 'string' ? r : undefined);

export interface DeliveryToQueue {
  readonly eventId: string;
  readonly job?: DeliveryJob;
  readonly delayMs?: number;
  /** Others of its queue go first, also those that come later. */
  readonly isSecond?: boolean;
}

/** Puts deliveries into their destination's queue. Those that are there already stay as they are. */
export const enqueueDeliveries = async (
  store: Store,
  destinationId: string,
  deliveries: readonly DeliveryToQueue[],
): Promise<void> => {
  if (deliveries.length === 0) return;
  // Marked as owed before there is a job, so that the log is never trimmed under one.
  await sendAll(
    store,
    deliveries.map(({ eventId, job }) => {
      const state = job?.x === undefined ? STATE_LETTERS.pending : STATE_LETTERS.dead_letter;
      return ['hset', eventKeys(eventId).deliveries, destinationId, state];
    }),
  );
  await addJobs(
    store,
    destinationQueue(destinationId),
    deliveries.map(({ eventId, job, delayMs, isSecond }) => ({
      data: job ?? {},
      options: { jobId: eventId, ...(delayMs && { delay: delayMs }), ...(isSecond && { priority: 1 }) },
    })),
  );
};

/** The event of a queued delivery, and whether it is delivered already (its job outlived a crash). */
export const readForDelivery = async (
  store: Store,
  eventId: string,
  destinationId: string,
): Promise<{ logged: LoggedEvent | undefined; state: DeliveryState | undefined }> => {
  const keys = eventKeys(eventId);
  const replies = await sendAll(store, [
    ['get', keys.record],
    ['hget', keys.deliveries, destinationId],
  ]);
  const logged = await decodeRecord(store, eventId, replies[0] as string | null);
  return { logged, state: deliveryStateOf(replies[1] as string | null) };
};

const ENDS: readonly (KeptState | undefined)[] = ['delivered', 'dead_letter', 'given_up'];

/** The destinations for which this event has ended, delivered, dead or given up: asked when a unit of work is repeated after a crash. */
export const readEnded = async (store: Store, eventId: string): Promise<Set<string>> => {
  const all = await store.redis.hgetall(eventKeys(eventId).deliveries);
  const hasEnded = (letter: string | undefined): boolean => ENDS.includes(stateOf(letter));
  return new Set(Object.keys(all).filter((field) => hasEnded(all[field])));
};

// -- attempts ---------------------------------------------------------------------------------------------------

export interface AttemptRecord {
  readonly eventId: string;
  readonly destinationId: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly status: number | null;
  readonly error: Pick<DeliveryError, 'code' | 'message'> | undefined;
  readonly response: string;
  /** The replay of many that it is made for: told in the same step when this ends the delivery. */
  readonly replayId?: string | undefined;
  /** Nothing was tried before, and nobody asked for it again. Counted, and not kept. */
  readonly isFirst?: boolean;
}

export interface AttemptLog {
  /** Resolves when the attempt, and the delivery's state after it, are on disk. */
  record(attempt: AttemptRecord): Promise<void>;
  drained(): Promise<void>;
}

/** The state of the delivery after an attempt. */
const STATES_AFTER = { delivered: 'delivered', retry: 'pending', dead_letter: 'dead_letter' } as const;

/** What is written of an attempt: the delivery's state after it, and the attempt. */
const fieldsAfter = (attempt: AttemptRecord): string[] => [
  attempt.destinationId,
  STATE_LETTERS[STATES_AFTER[attempt.outcome.kind]],
  `${attempt.destinationId}#${attempt.startedAtMs}`,
  encodeAttempt(attempt),
];

const REPLAY_OUTCOMES = { delivered: 'delivered', retry: 'sent', dead_letter: 'failed' } as const;

const recordReplayed = (store: Store, attempt: AttemptRecord, replayId: string): Promise<void> =>
  markReplayed(store, { ...attempt, replayId }, REPLAY_OUTCOMES[attempt.outcome.kind], fieldsAfter(attempt));

/* KEYS: deliveries of each attempt's event. ARGV: of each attempt destination, state after it, field, attempt. */
const RECORD_SCRIPT = `
for i, key in ipairs(KEYS) do
  local at = 4 * i - 3
  redis.call('HSET', key, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    recordAttempts(keys: number, ...args: string[]): Result<null, Context>;
  }
}

export interface AttemptLogOptions {
  /**
   * How long a record waits for others to share its write with, in ms. By default nobody waits for it: the event is
   * delivered, and a few more in one write spare Redis an fsync each.
   * @default 25
   */
  readonly lingerMs?: number;
  /** Told of each attempt that is to be recorded. */
  readonly onRecord?: (attempt: AttemptRecord) => void;
}

/** Records of attempts that end at about the same time share a write. */
export const createAttemptLog = (store: Store, { lingerMs = 25, onRecord }: AttemptLogOptions = {}): AttemptLog => {
  store.redis.defineCommand('recordAttempts', { lua: RECORD_SCRIPT });
  const write = (attempts: readonly AttemptRecord[]): Promise<null> =>
    store.redis.recordAttempts(
      attempts.length,
      ...attempts.map(({ eventId }) => eventKeys(eventId).deliveries),
      ...attempts.flatMap(fieldsAfter),
    );
  const group = createGroupCommit<AttemptRecord>({
    maxItems: 200,
    lingerMs,
    write: async (all) => {
      const attempts = all.filter(({ replayId }) => replayId === undefined);
      // On a Cluster a script keeps to one tag.
      const groups = store.isCluster ? Map.groupBy(attempts, ({ eventId }) => shardOf(eventId)).values() : [attempts];
      await Promise.all([
        ...[...groups].filter((group) => group.length > 0).map(write),
        ...all.map((attempt) => attempt.replayId !== undefined && recordReplayed(store, attempt, attempt.replayId)),
      ]);
    },
  });
  return {
    record: (attempt) => {
      onRecord?.(attempt);
      return group.add(attempt);
    },
    drained: () => group.drained(),
  };
};

/** How an attempt ended, as it is written down. These are not the letters of delivery states. */
const OUTCOME_LETTERS = { delivered: 'd', retry: 'r', dead_letter: 'x' } as const;
const OUTCOMES = new Map(Object.entries(OUTCOME_LETTERS).map(([kind, letter]) => [letter, kind as Outcome['kind']]));

/** Short on purpose: a field of at most 64 bytes keeps Redis's compact encoding, and most attempts succeed. */
const encodeAttempt = ({ durationMs, outcome, status, error, response }: AttemptRecord): string => {
  const next = outcome.kind === 'retry' ? outcome.delayMs : 0;
  const list = [
    OUTCOME_LETTERS[outcome.kind],
    durationMs,
    status,
    response,
    error?.code,
    error?.message,
    next || undefined,
  ];
  while (list.length > 3 && (list.at(-1) === undefined || list.at(-1) === '')) list.pop();
  return JSON.stringify(list);
};

const decodeAttempt = (startedAtMs: number, text: string): Omit<Attempt, 'number'> & { nextAtMs: number | null } => {
  const [kind, durationMs, status, response, code, message, next] = JSON.parse(text);
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    durationMs,
    outcome: OUTCOMES.get(kind) ?? 'retry',
    status,
    error: code ? { code, message: message ?? '' } : null,
    response: response ?? '',
    nextAtMs: next ? startedAtMs + durationMs + next : null,
  };
};

// -- reading ----------------------------------------------------------------------------------------------------

const decodeDeliveries = (eventId: string, fields: Record<string, string>): Delivery[] => {
  const deliveries: Delivery[] = [];
  for (const [field, value] of Object.entries(fields)) {
    const state = field.includes('#') ? undefined : deliveryStateOf(value);
    if (state === undefined) continue;
    const attempts = Object.keys(fields)
      .filter((other) => other.startsWith(`${field}#`))
      .map((other) => ({ startedAtMs: Number(other.slice(field.length + 1)), text: fields[other] as string }))
      .sort((a, b) => a.startedAtMs - b.startedAtMs)
      .map(({ startedAtMs, text }, index) => ({ number: index + 1, ...decodeAttempt(startedAtMs, text) }));
    const nextAtMs = state === 'pending' ? (attempts.at(-1)?.nextAtMs ?? null) : null;
    deliveries.push({
      id: deliveryId(eventId, field),
      eventId,
      destinationId: field,
      state,
      attempts: attempts.map(({ nextAtMs: _, ...attempt }) => attempt),
      nextAttemptAt: nextAtMs === null ? null : new Date(nextAtMs).toISOString(),
    });
  }
  return deliveries.sort((a, b) => (a.destinationId < b.destinationId ? -1 : 1));
};

/** Where an event went, or is to go. */
export const listDeliveries = async (store: Store, eventId: string): Promise<Delivery[]> =>
  decodeDeliveries(eventId, await store.redis.hgetall(eventKeys(eventId).deliveries));

/** The same of many events, in their order. */
export const listDeliveriesOf = async (store: Store, eventIds: readonly string[]): Promise<Delivery[][]> => {
  const replies = await sendAll(
    store,
    eventIds.map((id) => ['hgetall', eventKeys(id).deliveries]),
  );
  return replies.map((reply, index) => decodeDeliveries(eventIds[index] as string, fieldsOf(reply)));
};

export const readDelivery = async (store: Store, id: string): Promise<Delivery | undefined> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return undefined;
  const deliveries = await listDeliveries(store, parsed.eventId);
  return deliveries.find(({ destinationId }) => destinationId === parsed.destinationId);
};

/** The attempt that began at this time. */
export const readAttempt = async (
  store: Store,
  eventId: string,
  destinationId: string,
  startedAtMs: number,
): Promise<(Omit<Attempt, 'number'> & { readonly nextAtMs: number | null }) | undefined> => {
  const text = await store.redis.hget(eventKeys(eventId).deliveries, `${destinationId}#${startedAtMs}`);
  return text === null ? undefined : decodeAttempt(startedAtMs, text);
};
