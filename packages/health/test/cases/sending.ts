import { but, destination, HOUR, MINUTE, NOW, SECOND } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const unknown = but({ destinations: WHY });
const paused = (by: 'hand' | 'gone', agoMs: number | null) =>
  destination({ paused: { by, at: agoMs === null ? null : NOW - agoMs }, waiting: 1 });
const failing = (agoMs: number, lastErrorCode: string | null = 'destination_timeout') =>
  destination({ failingSince: NOW - agoMs, lastErrorCode, waiting: 371 });
const slow = (p95Ms: number | null, attemptsLastHour = 20) => destination({ p95Ms, attemptsLastHour });
const waiting = (ageMs: number | null, changes: object = {}) =>
  destination({ waiting: 12, oldestWaitingAt: ageMs === null ? null : NOW - ageMs, ...changes });

export const sendingCases: Cases = {
  destination_paused: {
    'by hand': paused('hand', MINUTE),
    'by hand, 59 minutes ago': paused('hand', 59 * MINUTE),
    'by hand, an hour ago': paused('hand', HOUR),
    'by hand, nobody knows when': paused('hand', null),
    'by 410': paused('gone', SECOND),
    'by 410, nobody knows when': paused('gone', null),
    unknown,
  },
  destination_failing: {
    'for 26 minutes': failing(26 * MINUTE),
    'for a second, without a reason': failing(SECOND, null),
    'with a text where a code should be': failing(SECOND, 'Sorry, 27820000004 is blocked'),
    unknown,
  },
  destination_unreachable: {
    true: destination({ isRefusedByGuard: true, waiting: 3 }),
    unknown,
  },
  destination_slow: {
    'a third of the deadline': slow(5_000),
    'more than a third': slow(5_001),
    'less than half': slow(7_499),
    half: slow(7_500),
    'half, in 19 attempts': slow(7_500, 19),
    'no attempts': slow(null, 0),
    'nobody knows': slow(null),
    'a pull destination': destination({ timeoutMs: null, p95Ms: 20_000 }),
    unknown,
  },
  destination_throttled: {
    'for a second': destination({ throttledSince: NOW - SECOND, waiting: 3 }),
    'for 10 minutes': destination({ throttledSince: NOW - 10 * MINUTE, waiting: 3 }),
    unknown,
  },
  destination_lags: {
    '10 minutes': waiting(10 * MINUTE),
    '11 minutes': waiting(11 * MINUTE),
    '14 minutes': waiting(14 * MINUTE),
    '15 minutes, 1 delivery': waiting(15 * MINUTE, { waiting: 1 }),
    'an hour': waiting(HOUR),
    '61 minutes': waiting(61 * MINUTE),
    '2 hours': waiting(2 * HOUR),
    '2 hours, paused': waiting(2 * HOUR, { paused: { by: 'hand', at: NOW } }),
    'of unknown age': waiting(null),
    unknown,
  },
  destination_never_succeeded: {
    '2 attempts': destination({ attempts: 2, everDelivered: false, lastErrorCode: 'destination_rejected' }),
    '3 attempts': destination({ attempts: 3, everDelivered: false, lastErrorCode: 'destination_rejected' }),
    unknown,
  },
};
