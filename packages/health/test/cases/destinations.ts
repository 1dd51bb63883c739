import {
  but,
  DAY,
  destination,
  destinationOf,
  HOUR,
  MINUTE,
  NOW,
  parts,
  receiver,
  SECOND,
  worker,
} from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const unknown = but({ destinations: WHY });
const unopened = (code: string) => [{ destinationId: 'crm', code }];
const sftp = (...living: Parameters<typeof parts>) => destination({ type: 'sftp', waiting: 12 }, { parts: living });
const asked = (agoMs: number | null, changes: object = {}) =>
  destination({ type: 'pull', waiting: 12, lastAskedAt: agoMs === null ? null : NOW - agoMs, ...changes });
const dead = (deadLettersLast10m: number, newestAgoMs: number | null, firstAttempts = { ended: 100, failed: 0 }) =>
  destination({
    deadLetters: 12,
    deadLettersLast10m,
    newestDeadLetterAt: newestAgoMs === null ? null : NOW - newestAgoMs,
    firstAttempts,
  });
const ends = (inMs: number | null) => destination({ certificateEndsAt: inMs === null ? null : NOW + inMs });
const secret = (inMs: number) => destination({ oldSecretEndsAt: NOW + inMs });
const credential = (inMs: number, usedAgoMs: number | null) =>
  but({ credentials: [{ id: 'crd_1', endsAt: NOW + inMs, lastUsedAt: usedAgoMs === null ? null : NOW - usedAgoMs }] });

export const destinationCases: Cases = {
  destination_invalid: {
    'one worker of two': parts(worker(), worker({ hostName: 'host-2', unopened: unopened('invalid_destination') })),
    'both workers': parts(
      worker({ unopened: unopened('invalid_destination') }),
      worker({ hostName: 'host-2', unopened: unopened('invalid_destination') }),
    ),
    'with a text where a code should be': parts(worker({ unopened: unopened('whsec_x7/canary') })),
    unknown: but({ parts: WHY }),
  },
  adapter_missing: {
    'no worker has it': sftp(worker()),
    'one of two has it': sftp(worker(), worker({ hostName: 'host-2', adapters: ['sftp'] })),
    'no worker runs': sftp(receiver()),
    'pull needs none': destination({ type: 'pull' }, { parts: [worker({ adapters: [] })] }),
    'parts unknown': but({ parts: WHY }),
    unknown,
  },
  destination_gets_nothing: {
    none: destination({ wantedOfLast1000: 0 }),
    one: destination({ wantedOfLast1000: 1 }),
    'nobody knows': destination({ wantedOfLast1000: null }),
    unknown,
  },
  consumer_silent: {
    '9 minutes': asked(9 * MINUTE),
    '10 minutes': asked(10 * MINUTE),
    '119 minutes': asked(119 * MINUTE),
    '2 hours': asked(2 * HOUR),
    'never asked': asked(null),
    'nothing waits': asked(2 * HOUR, { waiting: 0 }),
    paused: asked(2 * HOUR, { paused: { by: 'hand', at: NOW } }),
    'a webhook': asked(2 * HOUR, { type: 'webhook' }),
    unknown,
  },
  dead_letters_growing: {
    '9 in 10 minutes': dead(9, SECOND),
    '10 in 10 minutes': dead(10, SECOND),
    '1, and 5 of 100 first attempts fail': dead(1, SECOND, { ended: 100, failed: 5 }),
    '1, and 4 of 100 first attempts fail': dead(1, SECOND, { ended: 100, failed: 4 }),
    '1, and 1 of 1 first attempt fails': dead(1, SECOND, { ended: 1, failed: 1 }),
    'none, and all first attempts fail': dead(0, HOUR, { ended: 100, failed: 100 }),
    'the newest is 14 minutes old': dead(0, 14 * MINUTE),
    'the newest is 15 minutes old': dead(0, 15 * MINUTE),
    'nobody knows when the newest came': dead(0, null),
    unknown,
  },
  dead_letters: {
    one: destination({ deadLetters: 1 }),
    two: destination({ deadLetters: 2 }),
    'in two destinations': but({
      destinations: [destinationOf({ deadLetters: 1 }), destinationOf({ id: 'bot', deadLetters: 300 })],
    }),
    unknown,
  },
  certificate_expiring: {
    '15 days': ends(15 * DAY),
    '14 days': ends(14 * DAY),
    '3 days': ends(3 * DAY),
    'a minute ago': ends(-MINUTE),
    'never seen': ends(null),
    unknown,
  },
  secret_rotation_open: {
    'a secret for 2 hours': secret(2 * HOUR),
    'a secret for an hour': secret(HOUR),
    'a secret that has ended': secret(0),
    'a credential that nobody uses': credential(2 * HOUR, null),
    'a credential that was used yesterday': credential(2 * HOUR, 25 * HOUR),
    'a credential that was used an hour ago': credential(5 * DAY, HOUR),
    'a credential that ends in an hour': credential(HOUR, null),
    'a credential that has ended': credential(0, SECOND),
    'credentials unknown': but({ credentials: WHY }),
    unknown,
  },
};

const channel = (lastErrorCode: string | null) =>
  but({ channels: [{ id: 'ops', failingSince: NOW - 26 * MINUTE, lastErrorCode }] });

export const channelCases: Cases = {
  channel_failing: {
    'with a status': channel('404'),
    'with a code': channel('ECONNREFUSED'),
    'with a text': channel('https://hooks.example/T0/B0/secret'),
    unknown: but({ channels: WHY }),
  },
};
