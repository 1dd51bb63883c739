import { type Condition, type Facts, judge, type Memories, type Rule } from '@clickrelay/health';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../src/alert.ts';
import type { Channel } from '../src/channel.ts';
import { noteTold, planAlerts } from '../src/plan.ts';
import { type ChannelState, NOTHING_TOLD } from '../src/state.ts';
import { at, channel, condition, START, verdict } from './verdicts.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Judges every 5 seconds, and takes down all that one channel is told. */
const tellFor = (to: Channel, untilMs: number, conditionsAt: (ms: number) => readonly Condition[]) => {
  let state: ChannelState = NOTHING_TOLD;
  const messages: { at: number; alerts: readonly Alert[] }[] = [];
  for (let ms = 0; ms <= untilMs; ms += 5 * SECOND) {
    const nowMs = START + ms;
    const plan = planAlerts(verdict(nowMs, conditionsAt(ms)), { channel: to, state, lastFailedMs: null }, nowMs);
    state = plan.state;
    if (plan.alerts.length === 0) continue;
    messages.push({ at: ms / SECOND, alerts: plan.alerts });
    state = noteTold(state, plan.alerts, nowMs);
  }
  return { messages, told: messages.map(({ at: when, alerts }) => [when, ...alerts.map(wordsOf)]), state };
};

const wordsOf = ({ what, code, severity, subject }: Alert): string => `${what} ${severity} ${code} ${subject.id}`;
const CRM = 'critical destination_failing crm';

describe('a condition', () => {
  it('is told once when raised, again at each repeat, and once when it ends', () => {
    const { told } = tellFor(channel(), 9 * HOUR, (ms) => (ms < 8.5 * HOUR ? [condition()] : []));
    expect(told).toEqual([
      [30, `raised ${CRM}`],
      [4 * 3_600 + 60, `repeated ${CRM}`],
      [8 * 3_600 + 90, `repeated ${CRM}`],
      [8.5 * 3_600 + 30, `resolved ${CRM}`],
    ]);
  });

  it('has one id however often it is planned, and another each time it is told', () => {
    const plan = () => planAlerts(verdict(START + MINUTE, [condition()]), waiting, START + MINUTE).alerts[0]?.id;
    const waiting = { channel: channel(), state: { ...NOTHING_TOLD, waitingSince: START }, lastFailedMs: null };
    expect(plan()).toMatch(/^alt_[\w-]{22}$/);
    expect(plan()).toBe(plan());
    const { messages } = tellFor(channel(), 9 * HOUR, (ms) => (ms < 8.5 * HOUR ? [condition()] : []));
    expect(new Set(messages.flatMap(({ alerts }) => alerts.map(({ id }) => id))).size).toBe(4);
    const other = { ...waiting, channel: channel({}, 'other') };
    expect(planAlerts(verdict(START + MINUTE, [condition()]), other, START + MINUTE).alerts[0]?.id).not.toBe(plan());
  });

  it('is told again when it becomes worse, without the wait after another warning, and not when it becomes better', () => {
    const levels = [
      [0, 'warning'],
      [2 * MINUTE, 'critical'],
      [4 * MINUTE, 'warning'],
      [6 * MINUTE, 'critical'],
    ] as const;
    const { told } = tellFor(channel(), 20 * MINUTE, (ms) => {
      const [, severity] = levels.findLast(([from]) => ms >= from) ?? levels[0];
      return [condition({ severity })];
    });
    expect(told).toEqual([
      [30, 'raised warning destination_failing crm'],
      [150, `risen ${CRM}`],
    ]);
  });

  it.each([
    ['explained by another', { inhibitedBy: 'redis_away' }],
    ['only worth knowing', { severity: 'info' }],
    ['pending', { state: 'pending' }],
    ['unknown', { state: 'unknown' }],
    ['acknowledged', { acknowledged: { by: 'API_KEY', until: null, note: null } }],
  ] as const)('that is %s is told nobody, and neither is its end', (_, overrides) => {
    const { told } = tellFor(channel(), HOUR, (ms) => (ms < 30 * MINUTE ? [condition(overrides)] : []));
    expect(told).toEqual([]);
  });

  it('whose end was not told is not told as ended while nobody can tell', () => {
    const blind = condition({ state: 'unknown', subject: { kind: 'destination', id: null } });
    const { told } = tellFor(channel(), HOUR, (ms) => {
      if (ms < 10 * MINUTE) return [condition()];
      return ms < 40 * MINUTE ? [blind] : [];
    });
    expect(told).toEqual([
      [30, `raised ${CRM}`],
      [2_400 + 30, `resolved ${CRM}`],
    ]);
  });

  it('that is acknowledged after it was told is not repeated, and its end is told', () => {
    const acknowledged = { by: 'API_KEY', until: null, note: null };
    const { told } = tellFor(channel(), 6 * HOUR, (ms) => {
      if (ms > 5 * HOUR) return [];
      return [condition(ms > HOUR ? { acknowledged } : {})];
    });
    expect(told).toEqual([
      [30, `raised ${CRM}`],
      [5 * 3_600 + 35, `resolved ${CRM}`],
    ]);
  });

  it('that ends before anybody was told ends in silence', () => {
    expect(tellFor(channel(), HOUR, (ms) => (ms < 25 * SECOND ? [condition()] : [])).told).toEqual([]);
  });

  it('ends in silence when the channel wants no ends', () => {
    const { told, state } = tellFor(channel({ sendResolved: false }), HOUR, (ms) => (ms < MINUTE ? [condition()] : []));
    expect([told, state.told]).toEqual([[[30, `raised ${CRM}`]], {}]);
  });
});

describe('a channel', () => {
  it('gets what comes together in one message, and what comes later after its interval', () => {
    const other = (id: string) => condition({ subject: { kind: 'destination', id }, severity: 'warning' });
    const { told } = tellFor(channel(), HOUR, (ms) => [
      condition(),
      ...(ms >= 20 * SECOND ? [other('a')] : []),
      ...(ms >= 60 * SECOND ? [other('b')] : []),
      ...(ms >= 120 * SECOND ? [other('c')] : []),
    ]);
    expect(told).toEqual([
      [30, `raised ${CRM}`, 'raised warning destination_failing a'],
      [330, 'raised warning destination_failing b', 'raised warning destination_failing c'],
    ]);
  });

  it('gets what is newly critical after the first wait, however lately it was told something critical', () => {
    const other = (id: string) => condition({ subject: { kind: 'destination', id } });
    const { told } = tellFor(channel(), HOUR, (ms) => [
      condition(),
      ...(ms >= 60 * SECOND ? [other('a')] : []),
      ...(ms >= 95 * SECOND ? [other('b')] : []),
      // Comes again, and is not new.
      ...(ms < 150 * SECOND || ms >= 500 * SECOND ? [other('c')] : []),
    ]);
    expect(told).toEqual([
      [30, `raised ${CRM}`, 'raised critical destination_failing c'],
      [90, 'raised critical destination_failing a'],
      [125, 'raised critical destination_failing b'],
      [425, 'resolved critical destination_failing c'],
      [725, 'raised critical destination_failing c'],
    ]);
  });

  it('is told the severities and codes that it asked for', () => {
    const all = [
      condition(),
      condition({ code: 'dead_letters', severity: 'warning' }),
      condition({ code: 'redis_away', subject: { kind: 'redis', id: null } }),
    ];
    const codesOf = (settings: object) =>
      tellFor(channel({ ...settings }), MINUTE, () => all).messages.flatMap(({ alerts }) =>
        alerts.map(({ code }) => code),
      );
    expect(codesOf({ severities: ['warning'] })).toEqual(['dead_letters']);
    expect(codesOf({ codes: ['destination_*', '*_away'] })).toEqual(['destination_failing', 'redis_away']);
  });

  it('is told nothing about itself', () => {
    const broken = condition({ code: 'channel_failing', severity: 'warning', subject: { kind: 'channel', id: 'ops' } });
    expect(tellFor(channel({}, 'ops'), HOUR, () => [broken]).told).toEqual([]);
    expect(tellFor(channel({}, 'other'), HOUR, () => [broken]).told).toEqual([
      [30, 'raised warning channel_failing ops'],
    ]);
  });

  it('that takes nothing is tried again after its interval', () => {
    const state = { ...NOTHING_TOLD, waitingSince: START };
    const planAt = (ms: number) =>
      planAlerts(
        verdict(START + ms, [condition()]),
        { channel: channel(), state, lastFailedMs: START + MINUTE },
        START + ms,
      );
    expect(planAt(6 * MINUTE - 1).alerts).toEqual([]);
    expect(planAt(6 * MINUTE).alerts.length).toBe(1);
  });
});

describe('quiet hours', () => {
  const quiet = { from: '22:00', to: '07:00', timeZone: 'Africa/Johannesburg' };
  const warning = condition({ code: 'dead_letters', severity: 'warning' });
  // 12:00 in Johannesburg: quiet from 10 h on, for 9 hours.
  const ms = { from: 10 * HOUR, to: 19 * HOUR };

  it('hold back warnings, and end with one message of what is still raised', () => {
    const gone = condition({ code: 'silence', severity: 'warning', subject: { kind: 'relay', id: null } });
    const { told } = tellFor(channel({ quiet }), 20 * HOUR, (now) => [
      ...(now >= 11 * HOUR ? [warning] : []),
      ...(now >= 12 * HOUR && now < 13 * HOUR ? [gone] : []),
      ...(now >= 12 * HOUR
        ? [condition({ code: 'redis_away', severity: 'warning', subject: { kind: 'redis', id: null } })]
        : []),
      ...(now >= 14 * HOUR && now < 15 * HOUR ? [condition()] : []),
    ]);
    expect(told).toEqual([
      [14 * 3_600 + 30, `raised ${CRM}`],
      [15 * 3_600 + 30, `resolved ${CRM}`],
      [ms.to / SECOND + 30, 'raised warning dead_letters crm', 'raised warning redis_away null'],
    ]);
  });

  it('hold back repeats and ends of warnings too', () => {
    const { told } = tellFor(channel({ quiet, repeat: { warning: '2h' } }), 20 * HOUR, (now) =>
      now < 18 * HOUR ? [warning] : [],
    );
    expect(told.map(([when, what]) => [Number(when) / 3_600, what]).slice(-2)).toEqual([
      [8 + 150 / 3_600, 'repeated warning dead_letters crm'],
      [19 + 30 / 3_600, 'resolved warning dead_letters crm'],
    ]);
  });

  it('hold back what is critical only when they are told to', () => {
    const raisedAt = (settings: object) => {
      const { told } = tellFor(channel({ quiet: { ...quiet, ...settings } }), 20 * HOUR, (now) =>
        now >= 11 * HOUR ? [condition()] : [],
      );
      return Number(told[0]?.[0]) / 3_600;
    };
    expect([raisedAt({}), raisedAt({ critical: true })]).toEqual([11 + 30 / 3_600, 19 + 30 / 3_600]);
  });
});

describe('what comes and goes', () => {
  const PERIODS = [
    [20 * SECOND, 20 * SECOND],
    [MINUTE, 2 * MINUTE],
    [90 * SECOND, 75 * SECOND],
    [5 * MINUTE, 65 * SECOND],
    [5 * SECOND, 6 * MINUTE],
    [10 * MINUTE, 10 * MINUTE],
    [MINUTE, 15 * MINUTE],
  ] as const;
  const mend = { text: '', command: null, link: null };
  const rule: Rule = {
    code: 'destination_failing',
    kind: 'destination',
    levels: [{ severity: 'critical' }],
    when: '',
    about: '',
    look: (facts) =>
      (facts as unknown as { isTrue: boolean }).isTrue
        ? [{ id: 'crm', raises: 'critical', holds: 'critical', count: 1, sentence: 'crm takes nothing', mend }]
        : [],
  };

  it.each(PERIODS)('for %i ms, and is away for %i ms, is told at most 3 times in an hour', (on, off) => {
    let before: Memories = new Map();
    const { told } = tellFor(channel(), HOUR, (ms) => {
      const facts = { isTrue: ms % (on + off) < on } as unknown as Facts;
      const judged = judge({ rules: [rule], facts, before, acknowledged: new Map(), nowMs: START + ms });
      before = judged.memories;
      return judged.verdict.conditions;
    });
    expect(told.length).toBeGreaterThanOrEqual(1);
    expect(told.length).toBeLessThanOrEqual(3);
  });

  it('is told as over when it has stayed away for half an hour', () => {
    const isOn = (ms: number) => ms < 2 * MINUTE || (ms >= 10 * MINUTE && ms < 12 * MINUTE) || ms >= 5 * HOUR;
    const { told } = tellFor(channel(), 5.5 * HOUR, (ms) => (isOn(ms) ? [condition()] : []));
    expect(told.map(([when, what]) => [when, what])).toEqual([
      [30, `raised ${CRM}`],
      [330, `resolved ${CRM}`],
      [630, `raised ${CRM}`],
      [42 * 60 + 30, `resolved ${CRM}`],
      [5 * 3_600 + 30, `raised ${CRM}`],
    ]);
  });
});

it('times of the tests are what they say', () => expect(at('2026-11-30T10:00:00.000Z')).toBe(START));
