import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareStatuses, currentStatus, type TimedStatus } from './current-status.ts';
import { STATUSES } from './status-codes.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

let count = 0;
const status = (name: string, happened: number | null, received = happened ?? 0): TimedStatus & { name: string } => {
  const known = STATUSES.find((one) => one.name === name);
  if (known === undefined) throw new Error(`no status ${name}`);
  return {
    ...known,
    id: `evt_${count++}`,
    occurredAt: happened === null ? null : at(happened),
    receivedAt: at(received),
  };
};

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, index) =>
        permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
      );

/** The one answer that all orders give. */
const inEveryOrder = (statuses: readonly (TimedStatus & { name: string })[]): string | undefined => {
  const names = new Set(permutations(statuses).map((order) => currentStatus(order)?.name));
  expect(names.size).toBe(1);
  return [...names][0];
};

describe('where a message stands', () => {
  it('is nowhere without a status', () => {
    expect(currentStatus([])).toBeUndefined();
  });

  it.each([
    ['the furthest', ['QUEUED', 'SCHEDULED', 'SENT_TO_SUPPLIER', 'DEVICE_ACK', 'READ'], 'READ'],
    ['delivered, until it is read', ['QUEUED', 'SENT_TO_SUPPLIER', 'DEVICE_ACK'], 'DEVICE_ACK'],
    ['the last of what is pending', ['QUEUED', 'SENT_TO_SUPPLIER'], 'SENT_TO_SUPPLIER'],
    ['read, although the device acknowledged later', ['READ', 'DEVICE_ACK'], 'READ'],
    ['delivered, although it was queued later', ['DEVICE_ACK', 'QUEUED', 'SENT_TO_SUPPLIER'], 'DEVICE_ACK'],
    ['failed, whatever comes later', ['QUEUED', 'EXPIRED', 'DEVICE_ACK', 'READ'], 'EXPIRED'],
    ['failed for the first reason', ['DELIVERY_FAILURE', 'EXPIRED'], 'DELIVERY_FAILURE'],
    ['read, when somebody says later that it expired', ['READ', 'EXPIRED'], 'READ'],
    ['emulated, in the sandbox', ['QUEUED', 'EMULATED', 'DEVICE_ACK'], 'EMULATED'],
    ['not unknown, once anything was known', ['QUEUED', 'UNKNOWN'], 'QUEUED'],
    ['unknown, when nothing else is', ['UNKNOWN'], 'UNKNOWN'],
  ])('%s, in whatever order they came in', (_, names, expected) => {
    expect(inEveryOrder(names.map((name, index) => status(name, index)))).toBe(expected);
  });

  it('is decided by the time of the status, not of the callback', () => {
    expect(inEveryOrder([status('EXPIRED', 10, 20), status('READ', 11, 12)])).toBe('EXPIRED');
    expect(inEveryOrder([status('READ', 10, 20), status('EXPIRED', 11, 12)])).toBe('READ');
  });

  it('takes the time of the callback where the status has none', () => {
    expect(inEveryOrder([status('EXPIRED', null, 5), status('READ', 6, 6)])).toBe('EXPIRED');
    expect(inEveryOrder([status('EXPIRED', null, 7), status('READ', 6, 8)])).toBe('READ');
  });

  it('believes the failure of two ends at the same time', () => {
    expect(inEveryOrder([status('READ', 3), status('EXPIRED', 3)])).toBe('EXPIRED');
  });
});

describe('whatever statuses a message gets', () => {
  const any = fc
    .record({
      name: fc.constantFrom(...STATUSES.map(({ name }) => name)),
      happened: fc.option(fc.nat(5)),
      received: fc.nat(5),
    })
    .map(({ name, happened, received }) => status(name, happened, received));
  const many = fc.array(any, { minLength: 1, maxLength: 6 });

  it('their order and repetitions change nothing', () => {
    fc.assert(
      fc.property(many, (statuses) => {
        const expected = currentStatus(statuses);
        for (const order of permutations(statuses)) expect(currentStatus(order)).toBe(expected);
        expect(currentStatus([...statuses, ...statuses])).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('what is final by its own time stays, and nothing goes back', () => {
    fc.assert(
      fc.property(many, any, (statuses, later) => {
        const before = currentStatus(statuses) as TimedStatus;
        const after = currentStatus([...statuses, later]) as TimedStatus;
        if (before.final) {
          expect(after.final).toBe(true);
          const time = (one: TimedStatus) => one.occurredAt ?? one.receivedAt;
          if (after !== before) expect(time(after) <= time(before)).toBe(true);
        } else if (after !== before && !after.final) {
          const ranks = ['unknown', 'pending', 'delivered', 'read', 'failed'];
          expect(ranks.indexOf(after.class)).toBeGreaterThanOrEqual(ranks.indexOf(before.class));
        }
      }),
    );
  });

  it('it is the same whether they are looked at all together or part by part', () => {
    fc.assert(
      fc.property(many, many, (some, others) => {
        const parts = [currentStatus(some), currentStatus(others)] as TimedStatus[];
        expect(currentStatus(parts)).toBe(currentStatus([...some, ...others]));
      }),
    );
  });

  it('they are sorted by their own time, the same from every order', () => {
    fc.assert(
      fc.property(many, (statuses) => {
        const sorted = [...statuses].sort(compareStatuses);
        const times = sorted.map(({ occurredAt, receivedAt }) => occurredAt ?? receivedAt);
        expect(times).toEqual([...times].sort());
        expect([...statuses].reverse().sort(compareStatuses)).toEqual(sorted);
      }),
    );
  });
});
