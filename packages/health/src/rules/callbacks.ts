import { DAY_MS, HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import type { CallbackFacts, Refusals } from '../facts.ts';
import { isUnknown, whenKnown } from '../known.ts';
import { above, barely, fully } from '../reach.ts';
import type { Rule } from '../rule.ts';
import { amount, duration, list } from '../words.ts';

const REASONS: readonly (readonly [keyof Refusals, tells: string, mend: string])[] = [
  ['unavailable', 'not kept (503)', 'bring Redis back, or give the receiver a spool: SPOOL_DIR'],
  ['tooLarge', 'too large (413)', 'raise MAX_BODY_BYTES'],
  ['unprocessable', 'for a full quarantine (422)', 'empty the quarantine'],
  ['rateLimited', 'after too many wrong credentials (429)', 'name the proxies in front: TRUSTED_PROXIES'],
];

const callbacksRefused: Rule = {
  code: 'callbacks_refused',
  kind: 'receiver',
  levels: [{ severity: 'critical' }],
  when: 'A callback was answered 503, 413, 422 or 429 in the last 5 minutes; until there was none for 15 minutes.',
  about:
    'Clickatell sends a refused callback again, but not for ever. 503: Redis takes none and there is no room in a ' +
    'spool. 413: it is larger than `MAX_BODY_BYTES`. 422: the quarantine is full. 429: too many wrong credentials ' +
    'came from its address.',
  look: ({ callbacks }) =>
    whenKnown(callbacks, ({ refusedLast5m, refusedLast15m }) => {
      const lately = REASONS.filter(([reason]) => refusedLast15m[reason] > 0 || refusedLast5m[reason] > 0);
      if (lately.length === 0) return [];
      const isNow = REASONS.some(([reason]) => refusedLast5m[reason] > 0);
      const countOf = (reason: keyof Refusals): number => Math.max(refusedLast15m[reason], refusedLast5m[reason]);
      const count = lately.reduce((sum, [reason]) => sum + countOf(reason), 0);
      const why = list(lately.map(([reason, tells]) => `${countOf(reason)} ${tells}`));
      const sentence = `in the last 15 minutes ${amount(count, 'callback')} got no 200: ${why}`;
      const text = lately.map(([, , mend]) => mend).join('; ');
      const command = refusedLast15m.unprocessable > 0 ? 'clickrelay quarantine list' : undefined;
      return [{ id: null, ...(isNow ? fully : barely)('critical'), count, sentence, mend: { text, command } }];
    }),
};

const WRONG = 3;

const wrongCredentials: Rule = {
  code: 'wrong_credentials',
  kind: 'receiver',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when:
    '3 callbacks within an hour had a wrong credential (warning); and none has been accepted since the first of ' +
    'them (critical). Until there was none for an hour, or somebody acknowledges it.',
  about:
    'Somebody posts to the callback paths with a credential that is not accepted. When nothing else comes in, that ' +
    'is Clickatell: the portal has an old address. Enter what `clickrelay setup --reveal` shows, or let ' +
    '`CALLBACK_AUTH` accept both.',
  look: ({ callbacks }) =>
    whenKnown(callbacks, (facts) => {
      const { wrongCredentials: count } = facts;
      if (count === 0) return [];
      const severity = acceptsNothingSince(facts) ? 'critical' : 'warning';
      const came = `${amount(count, 'callback')} with a wrong credential came in the last hour`;
      const sentence = severity === 'critical' ? `${came}, and none has been accepted since the first` : came;
      const text =
        'enter the address that setup shows in the portal of Clickatell, or accept both credentials: CALLBACK_AUTH';
      const mend = { text, command: 'clickrelay setup --reveal', link: 'docs/operations.md#changing-the-credential' };
      return [{ id: null, ...(count >= WRONG ? fully : barely)(severity), count, sentence, mend }];
    }),
};

const acceptsNothingSince = ({ firstWrongAt, lastAcceptedAt }: CallbackFacts): boolean =>
  firstWrongAt !== null && (lastAcceptedAt === null || lastAcceptedAt < firstWrongAt);

const STRANGERS = [{ severity: 'info', raise: 101, clear: 50 }] as const;

const strangers: Rule = {
  code: 'strangers',
  kind: 'receiver',
  levels: [{ severity: 'info' }],
  when: 'More than 100 requests within an hour came to the callback paths without any credential; until 50.',
  about: 'Somebody looks for open doors, and finds none. `CALLBACK_ALLOW_IPS` keeps others than Clickatell out.',
  look: ({ callbacks }) =>
    whenKnown(callbacks, ({ withoutCredential: count }) => {
      const reached = above(count, STRANGERS);
      if (reached === undefined) return [];
      const sentence = `${amount(count, 'request')} without a credential came in the last hour`;
      const mend = { text: 'nothing; or let only the addresses of Clickatell in: CALLBACK_ALLOW_IPS' };
      return [{ id: null, ...reached, count, sentence, mend }];
    }),
};

const LAG = [{ severity: 'warning', raise: MINUTE_MS, clear: MINUTE_MS / 2 }] as const;
const LEAST_EVENTS = 20;

const clickatellLag: Rule = {
  code: 'clickatell_lag',
  kind: 'relay',
  levels: [{ severity: 'warning' }],
  when:
    'Of 20 messages or more in the last 10 minutes, half came later than 60 seconds after Clickatell had them; ' +
    'until 30 seconds. Not judged after refusals of our own, which make callbacks late.',
  about:
    'Clickatell hands messages over late. Nobody here can mend it; its status page, or its support, may know more.',
  look: ({ lag, lanes }) =>
    whenKnown(lag, ({ events, medianMs, isOurs }) => {
      if (events === 0) return [];
      if (isOurs) return [{ id: null, unknown: 'refusals of our own made callbacks late' }];
      if (medianMs === null) return [{ id: null, unknown: 'the lag of these events is not known' }];
      const reached = above(medianMs, LAG);
      if (reached === undefined) return [];
      const nothingWaits = !isUnknown(lanes) && lanes.messages.groups === 0 ? '; nothing waits here' : '';
      const sentence = `Clickatell hands messages over ${duration(medianMs)} late${nothingWaits}`;
      const mend = { text: 'nothing here: ask Clickatell' };
      const raises = events >= LEAST_EVENTS ? reached.raises : null;
      return [{ id: null, ...reached, raises, count: events, sentence, mend }];
    }),
};

const neverReceived: Rule = {
  code: 'never_received',
  kind: 'relay',
  levels: [
    { severity: 'info', forMs: HOUR_MS, keepMs: 0 },
    { severity: 'warning', keepMs: 0 },
  ],
  when:
    'No callback has come in the hour since Clickrelay was set up (info), or in the day since (warning); or in one ' +
    'of the two lanes (info). Until the first one.',
  about:
    'Clickatell does not know the address, or cannot reach it. Send a test callback with `clickrelay setup --test`; ' +
    'when that arrives, enter the address in the portal. If you never send, no status comes: that is only worth ' +
    'knowing.',
  look: ({ lanes, store }, nowMs) =>
    whenKnown(lanes, (known) =>
      whenKnown(store, ({ createdAt }) => {
        const never = Object.entries(known).flatMap(([lane, { firstAt }]) => (firstAt === null ? [lane] : []));
        const [lane] = never;
        if (lane === undefined) return [];
        const isSilent = never.length === Object.keys(known).length;
        const ageMs = createdAt === null ? 0 : nowMs - createdAt;
        const severity = isSilent && ageMs >= DAY_MS ? 'warning' : 'info';
        const sentence = isSilent ? 'no callback has come yet' : `no callback with ${lane} has come yet`;
        const mend = {
          text: 'send a test callback; when that arrives, enter the address in the portal of Clickatell',
          command: 'clickrelay setup --test',
        };
        const sinceMs = createdAt ?? undefined;
        return [{ id: isSilent ? null : lane, ...fully(severity), sinceMs, count: 0, sentence, mend }];
      }),
    ),
};

export const callbackRules: readonly Rule[] = [
  callbacksRefused,
  wrongCredentials,
  strangers,
  neverReceived,
  clickatellLag,
];
