import { HOUR_MS } from '@clickrelay/core';
import { type Condition, memoryKey, needsSomebody, SEVERITIES, type Severity, type Verdict } from '@clickrelay/health';
import { type Alert, alertOf, type What } from './alert.ts';
import { type Channel, msOf } from './channel.ts';
import { matchesGlob } from './glob.ts';
import { isQuiet } from './quiet-hours.ts';
import { type ChannelState, QUIET_MS, type Told } from './state.ts';

/* Who is told what, and when: no Redis, no clock, no network. */

export interface Plan {
  /** To be sent now, together; empty when nothing is due. */
  readonly alerts: readonly Alert[];
  /** What to remember whether or not anything is sent. */
  readonly state: ChannelState;
}

/** What a channel would be told, whether or not it is time yet. */
interface News {
  readonly condition: Condition;
  readonly what: What;
  readonly told: Told | undefined;
}

/** Pure: what one channel is told now. @param lastFailedMs when it last took nothing; null while it works */
export const planAlerts = (
  verdict: Verdict,
  { channel, state, lastFailedMs }: { channel: Channel; state: ChannelState; lastFailedMs: number | null },
  nowMs: number,
): Plan => {
  const mayTell = (severity: Severity): boolean => {
    const { quiet } = channel;
    if (quiet === null || (severity === 'critical' && !quiet.critical)) return true;
    return !isQuiet(quiet, nowMs);
  };
  const told = markEnds(state, verdict, channel, nowMs);
  const news = verdict.conditions
    .filter((condition) => isFor(channel, condition) && mayTell(condition.severity))
    .flatMap((condition): News[] => {
      const before = told[keyOf(condition)];
      const what = whatIsNew(channel, condition, before, nowMs);
      return what === undefined ? [] : [{ condition, what, told: before }];
    });
  const ended = Object.values(told).filter((one) => isOver(state, one, nowMs) && mayTell(one.severity));
  const waitingSince = news.length + ended.length === 0 ? null : (state.waitingSince ?? nowMs);
  const next = { ...state, told, waitingSince };
  const isUrgent = news.some((one) => isNewlyCritical(state, one, nowMs));
  if (waitingSince === null || nowMs < dueAt(channel, next, { isUrgent, lastFailedMs }))
    return { alerts: [], state: next };
  const alerts = [
    ...news.map(({ condition, what, told: before }) => {
      const { since, number } = before ?? { since: condition.since, number: 0 };
      return alertOf(condition, { what, channelId: channel.id, number, since, nowMs });
    }),
    ...ended.map((one) => resolvedAlert(channel.id, one, nowMs)),
  ];
  return { alerts, state: next };
};

const keyOf = ({ code, subject }: Pick<Condition, 'code' | 'subject'>): string => memoryKey(code, subject);

/** Whether a channel is told of it at all. Never of itself: it could not say that it says nothing. */
const isFor = ({ id, severities, codes }: Channel, condition: Condition): boolean => {
  const { code, severity, subject } = condition;
  if (!needsSomebody(condition)) return false;
  if (subject.kind === 'channel' && subject.id === id) return false;
  return (severities as readonly string[]).includes(severity) && codes.some((glob) => matchesGlob(glob, code));
};

const isWorse = (one: Severity, than: Severity): boolean => SEVERITIES.indexOf(one) < SEVERITIES.indexOf(than);

const whatIsNew = (
  { repeat }: Channel,
  { severity }: Condition,
  told: Told | undefined,
  nowMs: number,
): What | undefined => {
  if (told === undefined) return 'raised';
  if (isWorse(severity, told.severity)) return 'risen';
  const repeatMs = msOf(severity === 'critical' ? repeat.critical : repeat.warning);
  return nowMs - told.at >= repeatMs ? 'repeated' : undefined;
};

/** Notes of what was told whether it has ended. What cannot be told has not; what ended unasked for is forgotten. */
const markEnds = (
  { told }: ChannelState,
  { conditions }: Verdict,
  { sendResolved }: Channel,
  nowMs: number,
): ChannelState['told'] => {
  const standing = new Set(conditions.filter(({ state }) => state !== 'pending').map(keyOf));
  const blind = new Set(conditions.filter(({ state }) => state === 'unknown').map(({ code }) => code));
  const marked = Object.entries(told).flatMap(([key, one]): [string, Told][] => {
    if (standing.has(key) || blind.has(one.code)) return [[key, { ...one, endedAt: null }]];
    return sendResolved ? [[key, { ...one, endedAt: one.endedAt ?? nowMs }]] : [];
  });
  return Object.fromEntries(marked);
};

/** Whether its end may be told: what was told twice within an hour comes and goes, and has to stay away first. */
const isOver = ({ raisedAt }: ChannelState, told: Told, nowMs: number): boolean => {
  if (told.endedAt === null) return false;
  const isFlapping = (raisedAt[memoryKey(told.code, told.subject)] ?? []).length > 1;
  return !isFlapping || nowMs - told.endedAt >= QUIET_MS;
};

/** Of these there is one for each trouble; what is repeated, or comes and goes, can wait. */
const isNewlyCritical = ({ raisedAt }: ChannelState, { condition, what }: News, nowMs: number): boolean =>
  condition.severity === 'critical' &&
  (what === 'risen' || (what === 'raised' && lately(raisedAt[keyOf(condition)] ?? [], nowMs).length === 0));

/** A channel that takes nothing is not asked more often than this, in ms. */
const LEAST_AFTER_FAILURE_MS = 60_000;

/** The first news waits for more, and a message keeps its distance from the last one; what is urgent only waits. */
const dueAt = (
  channel: Channel,
  { waitingSince, lastSentAt }: ChannelState,
  { isUrgent, lastFailedMs }: { isUrgent: boolean; lastFailedMs: number | null },
): number => {
  const intervalMs = msOf(channel.groupInterval);
  return Math.max(
    (waitingSince ?? 0) + msOf(channel.groupWait),
    isUrgent || lastSentAt === null ? 0 : lastSentAt + intervalMs,
    lastFailedMs === null ? 0 : lastFailedMs + Math.max(intervalMs, LEAST_AFTER_FAILURE_MS),
  );
};

const resolvedAlert = (channelId: string, told: Told, nowMs: number): Alert => {
  const minutes = Math.max(1, Math.round(((told.endedAt ?? nowMs) - Date.parse(told.since)) / 60_000));
  const sentence = `over after ${minutes === 1 ? '1 minute' : `${minutes} minutes`}: ${told.sentence}`;
  return alertOf(
    { ...told, count: 0, sentence, mend: { text: '', command: null, link: null } },
    { what: 'resolved', channelId, number: told.number, since: told.since, nowMs },
  );
};

/** Pure: what to remember when these were taken. @param nowMs when they were planned */
export const noteTold = (state: ChannelState, alerts: readonly Alert[], nowMs: number): ChannelState => {
  const told = { ...state.told };
  const raisedAt = { ...state.raisedAt };
  for (const { what, code, subject, severity, since, sentence } of alerts) {
    const key = memoryKey(code, subject);
    if (what === 'resolved') {
      delete told[key];
      continue;
    }
    const before = told[key];
    const worst = before !== undefined && isWorse(before.severity, severity) ? before.severity : severity;
    const number = (before?.number ?? 0) + 1;
    told[key] = { code, subject, severity: worst, since, sentence, at: nowMs, number, endedAt: null };
    if (what === 'raised') raisedAt[key] = [...lately(raisedAt[key] ?? [], nowMs), nowMs];
  }
  return {
    told,
    raisedAt: forgetOld(raisedAt, told, nowMs),
    waitingSince: null,
    lastSentAt: nowMs,
  };
};

const lately = (times: readonly number[], nowMs: number): readonly number[] =>
  times.filter((at) => at > nowMs - HOUR_MS);

/** When each was told as raised, within the last hour; of what comes and goes, until its end is told. */
const forgetOld = (
  raisedAt: ChannelState['raisedAt'],
  told: ChannelState['told'],
  nowMs: number,
): ChannelState['raisedAt'] =>
  Object.fromEntries(
    Object.entries(raisedAt).flatMap(([key, times]): [string, readonly number[]][] => {
      const kept = told[key] === undefined ? lately(times, nowMs) : times;
      return kept.length > 0 ? [[key, kept]] : [];
    }),
  );
