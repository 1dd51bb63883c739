import { but, callbacks, DAY, HOUR, lag, lane, lanes, MINUTE, NOW, refused, SECOND, store } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const wrong = (wrongCredentials: number, acceptedAgoMs: number | null = MINUTE) =>
  callbacks({
    wrongCredentials,
    firstWrongAt: NOW - 10 * MINUTE,
    lastAcceptedAt: acceptedAgoMs === null ? null : NOW - acceptedAgoMs,
  });
const late = (medianMs: number | null, events = 100, isOurs = false) => lag({ medianMs, events, isOurs });
const silent = (hours: number, sameSpanBefore: (number | null)[]) =>
  lane({ lastAt: NOW - hours * HOUR, sameSpanBefore });
const young = (hours: number, changes: object = {}) =>
  lane({
    lastAt: NOW - hours * HOUR,
    sameSpanBefore: [100, null, null, null],
    countedMs: 10 * DAY,
    longestGapMs: 2 * HOUR,
    lastWeek: 50,
    ...changes,
  });
const never = { firstAt: null, lastAt: null };
const since = (ageMs: number | null) => {
  const at = store({ createdAt: ageMs === null ? null : NOW - ageMs }).store;
  return lanes(never, never, { store: at });
};

export const callbackCases: Cases = {
  callbacks_refused: {
    'a 503 in the last 5 minutes': refused({ unavailable: 1 }),
    'all four in the last 5 minutes': refused(
      { unavailable: 1, tooLarge: 1, unprocessable: 1, rateLimited: 1 },
      { unavailable: 10, tooLarge: 2, unprocessable: 1, rateLimited: 20 },
    ),
    'none in 5 minutes, one in 15': refused({}, { tooLarge: 1 }),
    unknown: but({ callbacks: WHY }),
  },
  wrong_credentials: {
    '1': wrong(1),
    '2': wrong(2),
    '3': wrong(3),
    '3, and none accepted since': wrong(3, HOUR),
    '3, and none ever accepted': wrong(3, null),
    '2, and none accepted since': wrong(2, HOUR),
    '3, and nobody knows when': callbacks({ wrongCredentials: 3, lastAcceptedAt: null }),
    unknown: but({ callbacks: WHY }),
  },
  strangers: {
    '50': callbacks({ withoutCredential: 50 }),
    '51': callbacks({ withoutCredential: 51 }),
    '100': callbacks({ withoutCredential: 100 }),
    '101': callbacks({ withoutCredential: 101 }),
    unknown: but({ callbacks: WHY }),
  },
  never_received: {
    'in the first minute': since(MINUTE),
    'in the first 23 hours': since(23 * HOUR),
    'in a day': since(DAY),
    'since nobody knows when': since(null),
    'no status, in a year': lanes({}, never, { store: store({ createdAt: NOW - 365 * DAY }).store }),
    'lanes unknown': but({ lanes: WHY }),
    'store unknown': but({ store: WHY }),
  },
  clickatell_lag: {
    '30 s': late(30 * SECOND),
    '31 s': late(31 * SECOND),
    '59 s': late(59 * SECOND),
    '1 minute': late(MINUTE),
    '4 minutes': late(4 * MINUTE),
    '4 minutes, and something waits here': {
      ...late(4 * MINUTE),
      lanes: lane({ groups: 1, oldestGroupAt: NOW }).lanes,
    },
    '4 minutes, of 19 events': late(4 * MINUTE, 19),
    '4 minutes, of 20 events': late(4 * MINUTE, 20),
    'no events': late(null, 0),
    '4 minutes, by refusals of ours': late(4 * MINUTE, 100, true),
    'no median': late(null),
    unknown: but({ lag: WHY }),
  },
  silence: {
    'an hour, when 20 come': silent(1, [20, 20, 20, 20]),
    '59 minutes': silent(59 / 60, [20, 20, 20, 20]),
    'median 20': silent(3, [5, 30, 10, 200]),
    'median 19.5': silent(3, [5, 29, 10, 200]),
    'lively in three of four weeks': silent(3, [0, 40, 40, 5]),
    'lively in two of four weeks': silent(3, [4, 40, 40, 4]),
    'three weeks are known': silent(3, [25, 20, 40, null]),
    'no receiver was ready': lane({ lastAt: NOW - 3 * HOUR, sameSpanBefore: [20, 20, 20, 20], wasReady: false }),
    'nobody knows whether one was': lane({ lastAt: NOW - 3 * HOUR, sameSpanBefore: [20, 20, 20, 20], wasReady: WHY }),
    'the usual, and nobody knows whether one was ready': lane({ wasReady: WHY }),
    statuses: lanes({}, { lastAt: NOW - 26 * HOUR, sameSpanBefore: [900, 900, 900, 900] }),
    'never heard of': lanes(never, never),
    'young: 8 hours, four times the longest gap': young(8),
    'young: longer than that': young(8.1),
    'young: 6 hours, with short gaps': young(6, { longestGapMs: HOUR }),
    'young: more than 6 hours, with short gaps': young(6.1, { longestGapMs: HOUR }),
    'young: 49 in a week': young(8.1, { lastWeek: 49 }),
    unknown: but({ lanes: WHY }),
  },
};
