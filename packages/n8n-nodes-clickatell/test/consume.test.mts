import { waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConsumeOptions, consume } from '../nodes/ClickatellTrigger/consume.ts';
import type { Delivery, Relay } from '../nodes/ClickatellTrigger/relay.ts';
import type { Ending, Log } from '../nodes/ClickatellTrigger/run-delivery.ts';
import { RelayError } from '../nodes/shared/call-relay.ts';
import { anEvent } from './fake-relay.mts';

// The lease loop by itself, with leases of milliseconds, against a relay and workflows that do everything they can.

const PACE = { waitMs: 10, leaseMs: 60, backOffMs: [1, 8], longMs: 60_000, graceMs: 5 } as const;
const quiet: Log = {
  away: () => undefined,
  awayForLong: () => undefined,
  back: () => undefined,
  refused: () => undefined,
  ignored: () => undefined,
  note: () => undefined,
};

// As n8n's own `sleep`, so that a test may turn the clock for both.
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Time passes when the test says so. */
const stopTheClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
afterEach(() => void vi.useRealTimers());

type Call = 'declare' | 'lease' | 'ack' | 'nack' | 'extend';
/** Before the work, after it (so that only the answer is lost), or a refusal. */
type Trouble = 'none' | 'before' | 'after' | 'refused' | 'lost' | 'forgotten';

interface Held {
  readonly delivery: Omit<Delivery, 'leaseToken' | 'attempt'>;
  state: 'waiting' | 'leased' | 'delivered' | 'dead_letter';
  attempt: number;
  token: string;
  leaseEndsAt: number;
}

/** A relay in memory; `trouble` decides what goes wrong with each call. */
const memoryRelay = (count: number, trouble: (call: Call) => Trouble) => {
  const held = new Map<string, Held>();
  for (let at = 0; at < count; at++) {
    const deliveryId = `dlv_test_${at}`;
    held.set(deliveryId, {
      delivery: { deliveryId, event: anEvent() },
      state: 'waiting',
      attempt: 0,
      token: '',
      leaseEndsAt: 0,
    });
  }
  let declared = false;
  let asked = 0;

  const troubled = async <T,>(call: Call, work: () => T | Promise<T>): Promise<T> => {
    asked++;
    const what = trouble(call);
    await wait(0);
    if (what === 'before') throw new RelayError('no answer');
    if (what === 'refused') throw new RelayError('forbidden', 403, 'forbidden_scope');
    if (what === 'lost' && call !== 'lease' && call !== 'declare') throw new RelayError('lost', 409, 'lease_lost');
    if (what === 'forgotten' && call === 'lease') declared = false;
    const result = await work();
    if (what === 'after') throw new RelayError('the answer was lost');
    return result;
  };
  const mine = ({ deliveryId, leaseToken }: Delivery): Held => {
    const one = held.get(deliveryId) as Held;
    const isHeld = one.state === 'leased' && one.token === leaseToken && one.leaseEndsAt > Date.now();
    if (!isHeld) throw new RelayError('lost', 409, 'lease_lost');
    return one;
  };
  const relay: Relay = {
    declare: async () =>
      await troubled('declare', () => {
        declared = true;
        return '';
      }),
    read: async () => '',
    lease: async ({ max, waitMs, leaseMs }, signal) =>
      await troubled('lease', async () => {
        if (!declared) throw new RelayError('unknown', 404, 'destination_not_found');
        const until = Date.now() + waitMs;
        for (;;) {
          const now = Date.now();
          for (const one of held.values()) if (one.state === 'leased' && one.leaseEndsAt <= now) one.state = 'waiting';
          const found = [...held.values()].filter(({ state }) => state === 'waiting').slice(0, max);
          if (found.length > 0 || now >= until || signal.aborted) {
            return found.map((one): Delivery => {
              Object.assign(one, { state: 'leased', attempt: one.attempt + 1, leaseEndsAt: now + leaseMs });
              one.token = `t${one.attempt}`;
              return { ...one.delivery, leaseToken: one.token, attempt: one.attempt };
            });
          }
          await wait(1);
        }
      }),
    ack: async (delivery) =>
      await troubled('ack', () => {
        const one = held.get(delivery.deliveryId) as Held;
        // The same ack again is answered the same.
        if (one.state !== 'delivered' || one.token !== delivery.leaseToken) mine(delivery).state = 'delivered';
      }),
    nack: async (delivery, { retry }) =>
      await troubled('nack', () => {
        const one = mine(delivery);
        one.state = retry && one.attempt < 6 ? 'waiting' : 'dead_letter';
      }),
    extend: async (delivery, leaseMs) =>
      await troubled('extend', () => {
        mine(delivery).leaseEndsAt = Date.now() + leaseMs;
      }),
    peek: async () => undefined,
  };
  return { relay, held, asked: () => asked };
};

const options = (relay: Relay, run: ConsumeOptions['run'], more: Partial<ConsumeOptions> = {}): ConsumeOptions => ({
  relay,
  declare: async () => void (await relay.declare({ events: ['*'], channels: [], classes: [] })),
  declared: false,
  concurrency: 3,
  acknowledge: 'success',
  mostTries: 100,
  runLimitMs: 100,
  run,
  log: quiet,
  pace: PACE,
  ...more,
});

/** Every way a run can go, in milliseconds. */
const runs = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('ok', 'fails', 'rejects'), ms: fc.nat(90) }),
    fc.record({ kind: fc.constantFrom('throws', 'never'), ms: fc.constant(0) }),
  ),
  { minLength: 1, maxLength: 12 },
);
const troubles = fc.array(
  fc.constantFrom<Trouble>('none', 'none', 'none', 'before', 'after', 'refused', 'lost', 'forgotten'),
  { minLength: 1, maxLength: 60 },
);

describe('the lease loop', () => {
  it('loses no slot and no delivery, whatever the relay, n8n and the workflows do', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        runs,
        troubles,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom<ConsumeOptions['acknowledge']>('success', 'end', 'start'),
        async (endings, faults, concurrency, acknowledge) => {
          let calls = 0;
          // The trouble ends some time; what was broken by then must heal.
          const { relay, held } = memoryRelay(8, () => faults[calls++] ?? 'none');
          let started = 0;
          let most = 0;
          const live = new Set<string>();
          const succeeded = new Set<string>();
          const twice: string[] = [];

          const run = async ({ deliveryId }: Delivery): Promise<Ending> => {
            most = Math.max(most, consumer.inFlight());
            if (live.has(deliveryId) || (succeeded.has(deliveryId) && acknowledge === 'success'))
              twice.push(deliveryId);
            // After the scripted ones all succeed at once, so that a property ends.
            const { kind, ms } = endings[started++] ?? { kind: 'ok', ms: 0 };
            if (kind === 'throws') throw new Error('emit threw');
            if (kind === 'never') return await new Promise<Ending>(() => undefined);
            live.add(deliveryId);
            await wait(ms);
            live.delete(deliveryId);
            if (kind === 'rejects') throw new Error('donePromise rejected');
            if (kind === 'ok') succeeded.add(deliveryId);
            return kind === 'ok' ? { ok: true } : { ok: false, error: 'failed' };
          };
          const consumer = consume(options(relay, run, { concurrency, acknowledge, runLimitMs: 150 }));
          const settled = () =>
            [...held.values()].every(({ state }) => state === 'delivered' || state === 'dead_letter');
          await waitUntil(settled, { everyMs: 2, what: 'every delivery to be settled' });
          await consumer.close();
          await consumer.idle();

          expect(consumer.inFlight()).toBe(0);
          expect(most).toBeLessThanOrEqual(concurrency);
          expect(twice).toEqual([]);
          if (acknowledge === 'success') {
            for (const id of succeeded) expect(held.get(id)?.state).toBe('delivered');
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps a lease while its workflow runs, many times longer than a lease', async () => {
    stopTheClock();
    const { relay, held } = memoryRelay(1, () => 'none');
    let started = 0;
    const run = async (): Promise<Ending> => {
      started++;
      await wait(PACE.leaseMs * 20);
      return { ok: true };
    };
    const consumer = consume(options(relay, run, { runLimitMs: 10_000 }));
    await vi.advanceTimersByTimeAsync(PACE.leaseMs * 22);
    expect(held.get('dlv_test_0')?.state).toBe('delivered');
    expect({ started, attempt: held.get('dlv_test_0')?.attempt }).toEqual({ started: 1, attempt: 1 });
    await Promise.all([consumer.close(), vi.advanceTimersByTimeAsync(1_000)]);
  });

  it('runs no workflow twice whose lease ran out while the relay was away', async () => {
    let away = false;
    const { relay, held } = memoryRelay(1, () => (away ? 'before' : 'none'));
    let started = 0;
    let end: (ending: Ending) => void = () => undefined;
    const run = async (): Promise<Ending> => {
      started++;
      return await new Promise<Ending>((resolve) => {
        end = resolve;
      });
    };
    const consumer = consume(options(relay, run, { concurrency: 2, runLimitMs: 10_000 }));
    await waitUntil(() => started === 1);
    away = true;
    await wait(PACE.leaseMs * 3);
    away = false;
    // It was handed out again, and is still the same run.
    await waitUntil(() => held.get('dlv_test_0')?.attempt === 2);
    end({ ok: true });
    await waitUntil(() => held.get('dlv_test_0')?.state === 'delivered');
    expect(started).toBe(1);
    await consumer.close();
  });

  it('runs no workflow twice that succeeded while the relay was away for long', async () => {
    let away = false;
    const { relay, held } = memoryRelay(1, () => (away ? 'before' : 'none'));
    let started = 0;
    const run = async (): Promise<Ending> => {
      started++;
      away = true;
      return { ok: true };
    };
    const consumer = consume(options(relay, run));
    await waitUntil(() => away);
    // Its slot is given back, although nobody could be told.
    await waitUntil(() => consumer.inFlight() === 0);
    away = false;
    await waitUntil(() => held.get('dlv_test_0')?.state === 'delivered');
    expect(started).toBe(1);
    await consumer.close();
  });

  it('pauses longer and longer while the relay is away, and never longer than allowed', async () => {
    stopTheClock();
    const { relay, asked } = memoryRelay(0, () => 'before');
    const consumer = consume(options(relay, async () => ({ ok: true }), { pace: { ...PACE, backOffMs: [10, 100] } }));
    await vi.advanceTimersByTimeAsync(1_000);
    // Pauses of 5-10, 10-20, 20-40, 40-80, then 50-100 ms.
    expect(asked()).toBeGreaterThan(6);
    expect(asked()).toBeLessThan(30);
    await Promise.all([consumer.close(), vi.advanceTimersByTimeAsync(1_000)]);
  });

  it('goes on, whatever the log does', async () => {
    const troubles: Trouble[] = ['before', 'refused', 'before', 'forgotten'];
    const { relay, held } = memoryRelay(2, () => troubles.shift() ?? 'none');
    const broken = (): never => {
      throw new Error('n8n.saveFailedExecution is not a function');
    };
    const log: Log = {
      away: broken,
      awayForLong: broken,
      back: broken,
      refused: broken,
      ignored: broken,
      note: broken,
    };
    const consumer = consume(options(relay, async () => ({ ok: true }), { log, pace: { ...PACE, longMs: 0 } }));
    await waitUntil(() => [...held.values()].every(({ state }) => state === 'delivered'));
    await consumer.close();
  });

  it('tells once that the relay has been away for long, and that it is back', async () => {
    stopTheClock();
    let away = true;
    const { relay } = memoryRelay(0, () => (away ? 'before' : 'none'));
    const told: string[] = [];
    const log: Log = {
      ...quiet,
      away: () => void told.push('away'),
      awayForLong: () => void told.push('long'),
      back: (awayMs) => void told.push(awayMs === undefined ? 'back' : 'back after long'),
    };
    const pace = { ...PACE, longMs: 500 };
    const consumer = consume(options(relay, async () => ({ ok: true }), { log, pace }));
    const pass = async (ms: number, isAway: boolean): Promise<void> => {
      away = isAway;
      await vi.advanceTimersByTimeAsync(ms);
    };
    await pass(300, true);
    await pass(100, false);
    expect(told).toEqual(['away', 'back']);
    await pass(2_000, true);
    await pass(100, false);
    expect(told.slice(2)).toEqual(['away', 'long', 'back after long']);
    await Promise.all([consumer.close(), vi.advanceTimersByTimeAsync(1_000)]);
  });
});
