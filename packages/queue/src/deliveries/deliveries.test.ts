import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { newConversations, newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import type { AttemptRecord } from './attempt.ts';
import { type AttemptLog, createAttemptLog } from './attempt-log.ts';
import { enqueueDeliveries } from './enqueue-deliveries.ts';
import { listUndelivered } from './list-undelivered.ts';
import { openDelivery } from './open-delivery.ts';
import { listDeliveries, readDelivery, readEnded, readForDelivery } from './read-deliveries.ts';

const { store } = useStore();

let attempts: AttemptLog;
let logged: LoggedEvent;
let eventId: string;

beforeEach(() => {
  attempts = createAttemptLog(store);
  logged = newEvent();
  eventId = logged.event.id;
});

const NOON = Date.parse('2026-03-01T12:00:00.000Z');

const attempt = (more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  eventId,
  destinationId: 'crm',
  startedAtMs: NOON,
  durationMs: 12,
  outcome: { kind: 'delivered' },
  status: 200,
  error: undefined,
  response: '',
  ...more,
});

const readJobs = async (destinationId: string) => {
  const jobs = await store.queue(destinationQueue(destinationId)).getJobs(['waiting', 'delayed'], 0, -1, true);
  return jobs.map(({ id, data, delay }) => ({ id, data, delay }));
};

describe('a time that is none', () => {
  it('spoils its own row of a list, and no other', async () => {
    const other = newEvent().event.id;
    await enqueueDeliveries(store, 'crm', [{ eventId }, { eventId: other }]);
    // 999999999d, as a retry schedule once let it in: beyond what a Date can hold.
    await attempts.record(attempt({ outcome: { kind: 'retry', delayMs: 8.64e16 }, status: 503 }));
    const { items } = await listUndelivered(store, { destinationId: 'crm', limit: 10 });
    expect(Object.fromEntries(items.map((one) => [one.eventId, one.nextAttemptAt]))).toEqual({
      [eventId]: '9999-12-31T23:59:59.999Z',
      [other]: null,
    });
  });
});

describe('a delivery that is queued', () => {
  it('is pending, and one job whose id is the event', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    expect(await readJobs('crm')).toEqual([{ id: eventId, data: {}, delay: 0 }]);
    expect(await listDeliveries(store, eventId)).toEqual([
      {
        id: deliveryId(eventId, 'crm'),
        eventId,
        destinationId: 'crm',
        state: 'pending',
        attempts: [],
        nextAttemptAt: null,
      },
    ]);
  });

  it('twice is one job, as it was the first time', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId, job: { a: 1 }, delayMs: 5_000 }]);
    await enqueueDeliveries(store, 'crm', [{ eventId }, { eventId }]);
    expect(await readJobs('crm')).toEqual([{ id: eventId, data: { a: 1 }, delay: 5_000 }]);
  });

  it('to several destinations is a job of each', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    await enqueueDeliveries(store, 'archive', [{ eventId }]);
    expect((await listDeliveries(store, eventId)).map(({ destinationId }) => destinationId)).toEqual([
      'archive',
      'crm',
    ]);
    expect([(await readJobs('crm')).length, (await readJobs('archive')).length]).toEqual([1, 1]);
  });

  it('with many others keeps its place', async () => {
    const ids = newConversations(200).map(({ event }) => event.id);
    await enqueueDeliveries(
      store,
      'crm',
      ids.map((id) => ({ eventId: id })),
    );
    await enqueueDeliveries(store, 'crm', []);
    expect((await readJobs('crm')).map(({ id }) => id)).toEqual(ids);
  });

  it('as ended already is a dead letter, not pending', async () => {
    await attempts.record(attempt({ outcome: { kind: 'dead_letter' }, status: 400 }));
    await enqueueDeliveries(store, 'crm', [{ eventId, job: { a: 1, x: 'answered 400' } }]);
    expect((await readDelivery(store, deliveryId(eventId, 'crm')))?.state).toBe('dead_letter');
  });

  it.each(['delivered', 'dead_letter'] as const)(
    'again, when it is %s by then, is not attempted again',
    async (kind) => {
      await createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', [logged], Date.now());
      const error = { code: 'destination_rejected', message: 'answered 400' } as const;
      await attempts.record(attempt(kind === 'delivered' ? {} : { outcome: { kind }, status: 400, error }));
      // A group came back, and saw the delivery before that.
      await enqueueDeliveries(store, 'crm', [{ eventId }]);
      expect((await readDelivery(store, deliveryId(eventId, 'crm')))?.state).toBe(kind);
      const open = { store, destinationId: 'crm', ordering: undefined, putOff: { shortestMs: 1, longestMs: 1 } };
      const job = {
        id: eventId,
        data: {},
        note: undefined,
        attemptsMade: 0,
        timesTaken: 0,
        stalledCount: 0,
        token: 't',
      };
      const settlement = kind === 'delivered' ? { kind: 'done' } : { kind, reason: 'answered 400', because: 'refused' };
      expect(await openDelivery(open, job)).toEqual({ settlement });
    },
  );

  it('costs Redis little: no options but its id', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    const { prefix, name } = destinationQueue('crm');
    expect(await store.redis.object('ENCODING', `${prefix}:${name}:${eventId}`)).toBe('listpack');
    expect(await store.redis.memory('USAGE', `${prefix}:${name}:${eventId}`)).toBeLessThan(350);
  });

  it('is an error when Redis refuses it', async () => {
    await store.redis.config('SET', 'maxmemory', '1');
    await expect(enqueueDeliveries(store, 'crm', [{ eventId }])).rejects.toThrow('OOM');
    await expect(attempts.record(attempt())).rejects.toThrow('OOM');
    await store.redis.config('SET', 'maxmemory', '0');
    expect(await listDeliveries(store, eventId)).toEqual([]);
  });
});

describe('a delivery after its attempt', () => {
  it.each([
    ['delivered', { kind: 'delivered' }, 'delivered', null],
    ['to be retried', { kind: 'retry', delayMs: 5_000 }, 'pending', '2026-03-01T12:00:05.012Z'],
    ['to be retried at once', { kind: 'retry', delayMs: 0 }, 'pending', null],
    ['given up', { kind: 'dead_letter' }, 'dead_letter', null],
  ] as const)('is %s', async (_, outcome, state, nextAttemptAt) => {
    await attempts.record(attempt({ outcome }));
    expect(await readDelivery(store, deliveryId(eventId, 'crm'))).toEqual({
      id: deliveryId(eventId, 'crm'),
      eventId,
      destinationId: 'crm',
      state,
      attempts: [
        {
          number: 1,
          startedAt: '2026-03-01T12:00:00.000Z',
          durationMs: 12,
          outcome: outcome.kind,
          status: 200,
          error: null,
          response: '',
        },
      ],
      nextAttemptAt,
    });
  });

  it('has the state of the attempt that was recorded last, and all attempts in the order of time', async () => {
    const error = { code: 'destination_rejected', message: 'answered 503' } as const;
    const later = attempt({ startedAtMs: NOON + 9_000, status: 204 });
    await attempts.record(
      attempt({ startedAtMs: NOON + 5_000, outcome: { kind: 'retry', delayMs: 4_000 }, status: 503, error }),
    );
    await attempts.record(attempt({ outcome: { kind: 'retry', delayMs: 5_000 }, status: null, error, response: 'no' }));
    await attempts.record(later);
    const delivery = await readDelivery(store, deliveryId(eventId, 'crm'));
    expect(delivery?.state).toBe('delivered');
    expect(delivery?.nextAttemptAt).toBeNull();
    expect(
      delivery?.attempts.map(({ number, startedAt, status, outcome }) => [number, startedAt, status, outcome]),
    ).toEqual([
      [1, '2026-03-01T12:00:00.000Z', null, 'retry'],
      [2, '2026-03-01T12:00:05.000Z', 503, 'retry'],
      [3, '2026-03-01T12:00:09.000Z', 204, 'delivered'],
    ]);
  });

  it('is told apart from those to destinations with similar names', async () => {
    await Promise.all([
      attempts.record(attempt({ destinationId: 'crm', response: 'crm' })),
      attempts.record(attempt({ destinationId: 'crm-2', response: 'crm-2', outcome: { kind: 'dead_letter' } })),
      attempts.record(attempt({ destinationId: 'c', response: 'c', outcome: { kind: 'retry', delayMs: 1 } })),
    ]);
    const deliveries = await listDeliveries(store, eventId);
    expect(
      deliveries.map(({ destinationId, state, attempts: [only] }) => [destinationId, state, only?.response]),
    ).toEqual([
      ['c', 'pending', 'c'],
      ['crm', 'delivered', 'crm'],
      ['crm-2', 'dead_letter', 'crm-2'],
    ]);
    expect(await readEnded(store, eventId)).toEqual(new Set(['crm']));
  });

  it('has every attempt exactly as it was recorded, whatever was answered', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', '\u0000', '😀é"\\\n', 'null'));
    const error = fc.option(fc.record({ code: fc.constant('destination_rejected' as const), message: text }));
    const outcome = fc.oneof(
      fc.constantFrom({ kind: 'delivered' } as const, { kind: 'dead_letter' } as const),
      fc.record({ kind: fc.constant('retry' as const), delayMs: fc.nat(100_000_000) }),
    );
    const one = fc.record({
      startedAtMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      durationMs: fc.nat(100_000),
      outcome,
      status: fc.option(fc.integer({ min: 100, max: 599 })),
      error,
      response: text,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(one, { minLength: 1, maxLength: 12, selector: ({ startedAtMs }) => startedAtMs }),
        async (records) => {
          await store.redis.flushall();
          await Promise.all(
            records.map((record) =>
              attempts.record({ ...attempt(record as object), error: record.error ?? undefined }),
            ),
          );
          const delivery = await readDelivery(store, deliveryId(eventId, 'crm'));
          const inOrder = [...records].sort((a, b) => a.startedAtMs - b.startedAtMs);
          expect(delivery?.attempts).toEqual(
            inOrder.map(({ startedAtMs, outcome: { kind }, ...rest }, index) => ({
              ...rest,
              number: index + 1,
              startedAt: new Date(startedAtMs).toISOString(),
              outcome: kind,
            })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps a plain success small', async () => {
    await attempts.record(attempt());
    const { deliveries } = eventKeys(eventId);
    expect(await store.redis.hgetall(deliveries)).toEqual({ crm: 'd', [`crm#${NOON}`]: '["d",12,200]' });
    expect(await store.redis.object('ENCODING', deliveries)).toBe('listpack');
  });

  it('is on disk when `record` and `drained` resolve', async () => {
    const records = newConversations(1_200).map(({ event }) => attempt({ eventId: event.id }));
    const recorded = Promise.all(records.map((record) => attempts.record(record)));
    await attempts.drained();
    await recorded;
    for (const { eventId: id } of records.slice(-3))
      expect((await listDeliveries(store, id))[0]?.state).toBe('delivered');
  });
});

describe('what a worker asks before it delivers', () => {
  it('is the event, and whether it is delivered already', async () => {
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', [logged], Date.now());
    expect(await readForDelivery(store, eventId, 'crm')).toEqual({ logged, state: undefined });
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    expect(await readForDelivery(store, eventId, 'crm')).toEqual({ logged, state: 'pending' });
    await attempts.record(attempt());
    expect(await readForDelivery(store, eventId, 'crm')).toEqual({ logged, state: 'delivered' });
    expect(await readForDelivery(store, eventId, 'other')).toEqual({ logged, state: undefined });
  });

  it('may be gone', async () => {
    expect(await readForDelivery(store, eventId, 'crm')).toEqual({ logged: undefined, state: undefined });
    expect(await readEnded(store, eventId)).toEqual(new Set());
  });
});

describe('a delivery that never was', () => {
  it('is undefined', async () => {
    expect(await listDeliveries(store, eventId)).toEqual([]);
    expect(await readDelivery(store, deliveryId(eventId, 'crm'))).toBeUndefined();
    await attempts.record(attempt());
    expect(await readDelivery(store, deliveryId(eventId, 'other'))).toBeUndefined();
    for (const id of [
      '',
      'rubbish',
      eventId,
      'dlv_crm_',
      `dlv_CRM_${eventId.slice(4)}`,
      `dlv_crm#1_${eventId.slice(4)}`,
    ]) {
      expect(await readDelivery(store, id)).toBeUndefined();
    }
  });
});
