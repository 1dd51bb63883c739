import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import { above, barely, fully } from '../reach.ts';
import type { Rule } from '../rule.ts';
import { because, deliveriesWait, duration } from '../words.ts';
import { ofDestinations } from './of-destinations.ts';

const PAUSED_LONG_MS = HOUR_MS;

const paused = ofDestinations(
  {
    code: 'destination_paused',
    levels: [{ severity: 'info' }, { severity: 'warning' }],
    inhibits: ['destination_lags', 'destination_slow', 'consumer_silent'],
    when: 'At once: a destination was paused by hand (info; after an hour a warning), or it answered 410 (warning).',
    about:
      'It is sent nothing, and its events wait. 410 means that its owner wants no more. Resume it, or remove it; ' +
      'who paused it, and why, is in `clickrelay audit`.',
  },
  ({ id, paused: pause, waiting }, nowMs) => {
    if (pause === null) return undefined;
    const ago = pause.at === null ? '' : ` ${duration(nowMs - pause.at)} ago`;
    const isGone = pause.by === 'gone';
    const isLong = pause.at !== null && nowMs - pause.at >= PAUSED_LONG_MS;
    const what = isGone ? `${id} answered 410${ago}, and gets nothing more` : `${id} was paused by hand${ago}`;
    const text = isGone ? 'ask its owner; then resume it, or remove it' : 'resume it when it is to get its events';
    const mend = { text, command: `clickrelay destinations resume ${id}` };
    const sinceMs = pause.at ?? undefined;
    const reached = fully(isGone || isLong ? 'warning' : 'info');
    return { ...reached, sinceMs, count: waiting, sentence: `${what}; ${deliveriesWait(waiting)}`, mend };
  },
);

const failing = ofDestinations(
  {
    code: 'destination_failing',
    levels: [
      { severity: 'warning', keepMs: 2 * MINUTE_MS },
      { severity: 'critical', forMs: 15 * MINUTE_MS, keepMs: 2 * MINUTE_MS },
    ],
    inhibits: ['destination_lags', 'destination_slow', 'destination_never_succeeded'],
    when:
      'At once, when the breaker of a destination opens (warning), after 15 minutes critical; until it has been ' +
      'closed for 2 minutes.',
    about:
      'It has refused or missed so many deliveries that Clickrelay only tries it now and then. Its events wait, and ' +
      'go out when it takes them again. `clickrelay destinations test` shows what it answers now.',
  },
  ({ id, failingSince, lastErrorCode, waiting }, nowMs) => {
    if (failingSince === null) return undefined;
    const forHow = duration(nowMs - failingSince);
    const sentence = `${id} has taken nothing for ${forHow}${because(lastErrorCode)}; ${deliveriesWait(waiting)}`;
    const mend = { text: 'see what it answers, and mend it', command: `clickrelay destinations test ${id}` };
    return { ...fully('critical'), sinceMs: failingSince, count: waiting, sentence, mend };
  },
);

const SLOW = [{ severity: 'warning', raise: 1 / 2, clear: 1 / 3 }] as const;
const LEAST_ATTEMPTS = 20;

const slow = ofDestinations(
  {
    code: 'destination_slow',
    levels: [{ severity: 'warning' }],
    when:
      'Of 20 attempts or more in the last hour, 5 % took longer than half the deadline of the destination; until ' +
      'they take less than a third.',
    about:
      'It comes near the time after which an attempt counts as failed, and is repeated. Make it answer first and ' +
      'work later, or raise `timeoutMs`.',
  },
  ({ id, attemptsLastHour, p95Ms, timeoutMs }) => {
    if (timeoutMs === null || attemptsLastHour === 0) return undefined;
    if (p95Ms === null) return { unknown: 'how long its attempts take is not known' };
    const reached = above(p95Ms / timeoutMs, SLOW);
    if (reached === undefined) return undefined;
    const deadline = `its deadline is ${duration(timeoutMs)}`;
    const sentence = `one attempt in 20 at ${id} takes ${duration(p95Ms)} or longer, and ${deadline}`;
    const mend = { text: 'make it answer before it does the work', command: `clickrelay destinations show ${id}` };
    const isJudged = attemptsLastHour >= LEAST_ATTEMPTS;
    return { ...(isJudged ? reached : barely('warning')), count: attemptsLastHour, sentence, mend };
  },
);

const throttled = ofDestinations(
  {
    code: 'destination_throttled',
    levels: [{ severity: 'info', forMs: 10 * MINUTE_MS }],
    when: 'A destination has asked for pauses (429 or `Retry-After`) for 10 minutes.',
    about:
      'It gets its events at the pace that it asks for. If they pile up, let it allow more, or set `rate` so that ' +
      'it need not refuse.',
  },
  ({ id, throttledSince, waiting }, nowMs) => {
    if (throttledSince === null) return undefined;
    const sentence = `${id} has asked for pauses for ${duration(nowMs - throttledSince)}; ${deliveriesWait(waiting)}`;
    const mend = { text: 'let it allow more requests', command: `clickrelay destinations show ${id}` };
    return { ...fully('info'), sinceMs: throttledSince, count: waiting, sentence, mend };
  },
);

const LAGS = [
  { severity: 'warning', raise: 15 * MINUTE_MS, clear: 10 * MINUTE_MS },
  { severity: 'critical', raise: 2 * HOUR_MS, clear: HOUR_MS },
] as const;

const lags = ofDestinations(
  {
    code: 'destination_lags',
    levels: [{ severity: 'warning' }, { severity: 'critical' }],
    when:
      'The oldest delivery to a destination has waited for 15 minutes (warning) or 2 hours (critical), until 10 ' +
      'minutes or an hour; not while it is paused.',
    about:
      'It takes less than comes, or some deliveries fail again and again. `clickrelay deliveries --state pending` ' +
      'shows which.',
  },
  ({ id, paused: pause, waiting, oldestWaitingAt }, nowMs) => {
    if (pause !== null || waiting === 0) return undefined;
    if (oldestWaitingAt === null) return { unknown: 'the age of its oldest delivery is not known' };
    const ageMs = nowMs - oldestWaitingAt;
    const reached = above(ageMs, LAGS);
    if (reached === undefined) return undefined;
    const sentence = `${deliveriesWait(waiting)} for ${id}, the oldest for ${duration(ageMs)}`;
    const command = `clickrelay deliveries --state pending --destination ${id}`;
    return { ...reached, count: waiting, sentence, mend: { text: 'see what they wait for', command } };
  },
);

const NEVER = 3;

const neverSucceeded = ofDestinations(
  {
    code: 'destination_never_succeeded',
    levels: [{ severity: 'warning' }],
    when: 'After 3 attempts, a destination has taken nothing since it was made.',
    about:
      'Its address, its credential or what it expects is probably wrong. `clickrelay destinations test` shows what ' +
      'it answers.',
  },
  ({ id, attempts, everDelivered, lastErrorCode }) => {
    if (everDelivered || attempts < NEVER) return undefined;
    const sentence = `${id} has taken none of ${attempts} attempts since it was made${because(lastErrorCode)}`;
    const mend = { text: 'look at its address and at what it answers', command: `clickrelay destinations test ${id}` };
    return { ...fully('warning'), count: attempts, sentence, mend };
  },
);

const unreachable = ofDestinations(
  {
    code: 'destination_unreachable',
    levels: [{ severity: 'critical' }],
    inhibits: ['destination_failing', 'destination_lags', 'destination_never_succeeded'],
    when: 'The last attempts at a destination ended with `destination_refused`: the worker may not call its address.',
    about:
      'The `EGRESS_ALLOW` that counts is that of the worker, not of the API. Start the workers with the range of ' +
      'its address, or give it a public one: [EGRESS_ALLOW](configuration.md#the-worker).',
  },
  ({ id, isRefusedByGuard, waiting }) => {
    if (!isRefusedByGuard) return undefined;
    const why = 'their EGRESS_ALLOW does not have it';
    const sentence = `the workers may not call the address of ${id}: ${why}; ${deliveriesWait(waiting)}`;
    const mend = {
      text: 'start the workers with EGRESS_ALLOW=<range of its address>',
      link: 'docs/errors.md#destination_refused',
    };
    return { ...fully('critical'), count: waiting, sentence, mend };
  },
);

export const sendingRules: readonly Rule[] = [paused, failing, unreachable, slow, throttled, lags, neverSucceeded];
