import { describe, expect, it } from 'vitest';
import {
  but,
  destination,
  destinationOf,
  HOUR,
  lane,
  MINUTE,
  NOW,
  parts,
  quarantine,
  receiver,
  SECOND,
  worker,
} from '../test/healthy.ts';
import { line, relay } from '../test/relay.ts';
import { judge, needsSomebody } from './judge.ts';
import { RULES } from './rules/index.ts';

const WHY = { unknown: 'this Redis refuses INFO' };
const away = (() => {
  const cause = 'the Redis at 127.0.0.1:6379 does not answer (ETIMEDOUT)';
  const unknown = { unknown: cause };
  const { setup, channels } = but();
  return but({
    redis: { state: 'away', cause, mend: 'start it' },
    ...{ store: unknown, server: unknown, parts: unknown, deaths: unknown, callbacks: unknown, lanes: unknown },
    ...{ lag: unknown, ledger: unknown, quarantine: unknown, log: unknown, destinations: unknown },
    ...{ credentials: unknown, cluster: unknown, setup, channels },
  });
})();
const failing = (sinceMs = NOW) => destination({ failingSince: sinceMs, waiting: 371 });
const storeOf = () => ({
  expectedId: 'str_1',
  foundId: 'str_1',
  otherLayout: null,
  createdAt: NOW - 100 * 24 * HOUR,
});
const oneSilent = () => ({ lanes: lane({ lastAt: NOW - 3 * HOUR, sameSpanBefore: [50, 50, 50, 50] }).lanes });
const late = (changes: Parameters<typeof destination>[0] = {}) =>
  destination({ waiting: 9, oldestWaitingAt: NOW - 3 * HOUR, ...changes });
const oneQuarantined = quarantine({ callbacks: 1 });

describe('a condition', () => {
  it('is pending, raised, clearing and gone, and has been true since the first moment', () => {
    const { look, state } = relay();
    const noWorker = parts(receiver());
    expect(look(noWorker).map(line)).toEqual(['critical pending no_worker']);
    expect(state()).toBe('ok');
    expect(look(noWorker, 30 * SECOND)[0]).toEqual({
      code: 'no_worker',
      severity: 'critical',
      state: 'raised',
      subject: { kind: 'worker', id: null },
      since: '2026-11-30T12:00:00.000Z',
      count: 0,
      sentence: 'no worker is running, or none reaches this Redis; callbacks are kept, and nothing is delivered',
      mend: {
        text: 'start one, with the same Redis as this API',
        command: 'clickrelay start --roles worker',
        link: 'docs/operations.md#several-machines',
      },
      inhibitedBy: null,
      acknowledged: null,
    });
    expect(state()).toBe('critical');
    expect(look(but(), SECOND).map(line)).toEqual(['critical clearing no_worker']);
    expect(state()).toBe('critical');
    expect(look(but(), MINUTE)).toEqual([]);
    expect(state()).toBe('ok');
  });

  it('becomes worse and better under one date', () => {
    const { look } = relay();
    expect(look(failing()).map(line)).toEqual(['warning raised destination_failing crm']);
    const [worse] = look(failing(), 15 * MINUTE);
    expect(worse).toMatchObject({ severity: 'critical', state: 'raised', since: '2026-11-30T12:00:00.000Z' });
    expect(worse?.sentence).toBe('crm has taken nothing for 15 minutes; 371 deliveries wait');
  });

  it('is raised while a lesser severity of it is true, though the worse one is ending', () => {
    const { look } = relay();
    look(quarantine({ callbacks: 9_000 }));
    expect(look(oneQuarantined, SECOND).map(line)).toEqual(['critical raised quarantine']);
    expect(look(oneQuarantined, MINUTE).map(line)).toEqual(['warning raised quarantine']);
  });

  it('points to its paragraph when there is no better page', () => {
    const [condition] = relay().look(oneQuarantined);
    expect(condition?.mend.link).toBe('docs/conditions.md#quarantine');
  });

  it('of several subjects is told of each, the worst first, then the oldest', () => {
    const all = but({
      destinations: [
        destinationOf({ id: 'a', deadLetters: 1 }),
        destinationOf({ id: 'b', failingSince: NOW - MINUTE }),
        destinationOf({ id: 'c', failingSince: NOW - HOUR }),
        destinationOf({ id: 'd', failingSince: NOW - 2 * HOUR }),
        destinationOf({ id: 'e', paused: { by: 'hand', at: NOW - 3 * HOUR } }),
      ],
    });
    expect(relay().look(all).map(line)).toEqual([
      'critical raised destination_failing d',
      'critical raised destination_failing c',
      'warning raised destination_paused e',
      'warning raised destination_failing b',
      'warning raised dead_letters a',
    ]);
  });

  it('that comes and goes says so', () => {
    const { look } = relay();
    for (let time = 0; time < 5; time++) {
      look(oneQuarantined, MINUTE);
      look(but(), MINUTE);
      look(but(), MINUTE);
    }
    const [condition] = look(oneQuarantined, SECOND);
    expect(condition?.sentence).toBe('1 callback is in quarantine; comes and goes, 6 times in the last hour');
    expect(look(but(), 29 * MINUTE)).toHaveLength(1);
    expect(look(but(), 29 * MINUTE)).toHaveLength(1);
    expect(look(but(), MINUTE)).toEqual([]);
  });
});

describe('what nobody can tell', () => {
  it('is unknown, and neither fine nor wrong', () => {
    const { look, state } = relay();
    const [condition] = look(but({ quarantine: WHY }));
    expect(condition).toMatchObject({ code: 'quarantine', state: 'unknown', since: '2026-11-30T12:00:00.000Z' });
    expect(condition?.sentence).toBe('cannot tell: this Redis refuses INFO');
    expect(state()).toBe('unknown');
    expect(look(but({ quarantine: WHY }), MINUTE)[0]?.since).toBe('2026-11-30T12:00:00.000Z');
    expect(look(but(), MINUTE)).toEqual([]);
  });

  it('does not end what was raised, which begins anew to be quiet', () => {
    const { look } = relay();
    look(oneQuarantined);
    look(but(), 50 * SECOND);
    const [condition] = look(but({ quarantine: WHY }), HOUR);
    expect(condition).toMatchObject({ state: 'unknown', severity: 'warning', since: '2026-11-30T12:00:00.000Z' });
    expect(condition?.sentence).toBe('cannot tell: this Redis refuses INFO; last seen: 1 callback is in quarantine');
    expect(look(but(), SECOND).map(line)).toEqual(['warning clearing quarantine']);
    expect(look(but(), 59 * SECOND).map(line)).toEqual(['warning clearing quarantine']);
    expect(look(but(), SECOND)).toEqual([]);
  });

  it('of one subject says nothing of the others, nor of what was never told', () => {
    const { look } = relay();
    const age = (id: string, oldestWaitingAt: number | null) => destinationOf({ id, waiting: 1, oldestWaitingAt });
    look(but({ destinations: [age('a', NOW - HOUR), age('b', NOW - HOUR), age('c', NOW)] }));
    const found = look(but({ destinations: [age('a', null), age('b', NOW), age('c', null)] }), HOUR);
    expect(found.map(line)).toEqual(['warning raised destination_lags b', 'warning unknown destination_lags a']);
    // It is gone, and what was raised of it with it.
    const gone = but({ destinations: [age('b', NOW + HOUR)] });
    look(gone, SECOND);
    expect(look(gone, MINUTE)).toEqual([]);
  });

  it('of a subject of which it has ended is not told', () => {
    const { look } = relay();
    look(late());
    look(but(), SECOND);
    expect(look(but(), MINUTE)).toEqual([]);
    expect(look(destination({ waiting: 1, oldestWaitingAt: null }), SECOND)).toEqual([]);
  });

  it('does not raise what was only remembered', () => {
    const { look } = relay();
    look(oneQuarantined);
    look(but(), SECOND);
    look(but(), MINUTE);
    expect(look(but({ quarantine: WHY }), SECOND)[0]?.sentence).toBe('cannot tell: this Redis refuses INFO');
  });
});

describe('one cause', () => {
  it('is one condition: a Redis that is away explains all that cannot be told', () => {
    const { look, state } = relay();
    look(oneQuarantined);
    const last = look(away, SECOND).find(({ code }) => code === 'quarantine');
    expect(last).toMatchObject({ severity: 'warning', state: 'unknown', inhibitedBy: 'redis_away' });
    const found = look(away, 10 * SECOND);
    expect(found.filter(needsSomebody).map(line)).toEqual(['critical raised redis_away']);
    const others = found.filter(({ code }) => code !== 'redis_away');
    expect(new Set(others.map((one) => `${one.state} ${one.inhibitedBy}`))).toEqual(new Set(['unknown redis_away']));
    expect(state()).toBe('critical');
  });

  it.each([
    ['data_lost', but({ ...oneSilent(), store: { ...storeOf(), foundId: null } }), 'silence messages'],
    ['no_receiver', but({ ...oneSilent(), parts: [worker()] }), 'silence messages'],
    ['no_worker', { ...lane({ groups: 1, oldestGroupAt: NOW - HOUR }), parts: [receiver()] }, 'worker_behind messages'],
    ['no_worker', { ...late(), parts: [receiver()] }, 'destination_lags crm'],
    ['clock_wrong', { ...late(), parts: [receiver({ clockOffsetMs: HOUR }), worker()] }, 'destination_lags crm'],
    ['destination_paused', destination({ paused: { by: 'hand', at: NOW }, p95Ms: 14_000 }), 'destination_slow crm'],
    ['destination_failing', late({ failingSince: NOW - HOUR }), 'destination_lags crm'],
    ['destination_failing', late({ failingSince: NOW - HOUR, p95Ms: 14_000 }), 'destination_slow crm'],
  ])('%s explains others', (cause, facts, effect) => {
    const { look } = relay();
    look(facts);
    const found = look(facts, 5 * MINUTE);
    const [code, id] = effect.split(' ');
    expect(found).toContainEqual(expect.objectContaining({ code: cause, state: 'raised', inhibitedBy: null }));
    const explained = found.find((one) => one.code === code && one.subject.id === id);
    expect(explained).toMatchObject({ state: 'raised', inhibitedBy: cause });
    expect(explained && needsSomebody(explained)).toBe(false);
  });

  it('stands before what it explains, though that is worse', () => {
    expect(
      relay()
        .look(late({ failingSince: NOW }))
        .map(line),
    ).toEqual([
      'warning raised destination_failing crm',
      'critical raised destination_lags crm by destination_failing',
    ]);
  });

  it('of the whole relay hides nothing critical while it is only a warning', () => {
    const facts = (clockOffsetMs: number) => ({ ...late(), parts: [receiver({ clockOffsetMs }), worker()] });
    const told = (clockOffsetMs: number) => {
      const { look } = relay();
      look(facts(clockOffsetMs));
      return look(facts(clockOffsetMs), MINUTE).filter(needsSomebody).map(line);
    };
    expect(told(3 * SECOND)).toEqual(['critical raised destination_lags crm', 'warning raised clock_wrong host-1']);
    expect(told(HOUR)).toEqual(['critical raised clock_wrong host-1']);
  });

  it('of one destination explains nothing of another', () => {
    const found = relay().look(
      but({
        destinations: [
          destinationOf({ id: 'a', failingSince: NOW - HOUR }),
          destinationOf({ id: 'b', waiting: 1, oldestWaitingAt: NOW - 3 * HOUR }),
        ],
      }),
    );
    expect(found.map(line)).toEqual(['critical raised destination_failing a', 'critical raised destination_lags b']);
  });

  it('does not explain while it is only pending', () => {
    const found = relay().look({ ...late(), parts: [receiver()] });
    expect(found.map(line)).toEqual(['critical raised destination_lags crm', 'critical pending no_worker']);
  });
});

describe('what is acknowledged', () => {
  it('needs nobody, and is still told', () => {
    const one = relay();
    one.look(failing());
    one.acknowledge('destination_failing');
    const [condition] = one.look(failing(), SECOND);
    expect(condition?.acknowledged).toEqual({ by: 'ann', until: null, note: null });
    expect(condition && needsSomebody(condition)).toBe(false);
    expect(one.state()).toBe('warning');
  });

  it('stays so when it becomes worse, and ends with the condition', () => {
    const one = relay();
    one.look(failing());
    one.acknowledge('destination_failing');
    expect(one.look(failing(), 20 * MINUTE)[0]).toMatchObject({ severity: 'critical', acknowledged: { by: 'ann' } });
    one.look(but(), SECOND);
    expect(one.look(but(), 2 * MINUTE)).toEqual([]);
    expect(one.look(failing(one.now()), MINUTE)[0]?.acknowledged).toBeNull();
  });

  it('ends at its time', () => {
    const one = relay();
    one.look(failing());
    one.acknowledge('destination_failing', '2026-11-30T12:01:00.000Z');
    expect(one.look(failing(), 59 * SECOND)[0]?.acknowledged).not.toBeNull();
    expect(one.look(failing(), SECOND)[0]?.acknowledged).toBeNull();
  });
});

it('one look waits only for what tells since when it is true', () => {
  const once = (facts: Parameters<typeof judge>[0]['facts']) =>
    judge({ rules: RULES, facts, before: new Map(), acknowledged: new Map(), nowMs: NOW, isOnlyLook: true }).verdict;
  expect(once(parts(receiver())).conditions.map(line)).toEqual(['critical raised no_worker']);
  expect(once(failing(NOW - MINUTE)).conditions.map(line)).toEqual(['warning raised destination_failing crm']);
  expect(once(failing(NOW - HOUR)).conditions.map(line)).toEqual(['critical raised destination_failing crm']);
});
