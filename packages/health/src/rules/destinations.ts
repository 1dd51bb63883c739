import { DAY_MS, HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import type { DestinationFacts, RotationFacts } from '../facts.ts';
import { whenKnown } from '../known.ts';
import { above, barely, fully } from '../reach.ts';
import type { Blind, Rule, Sighting } from '../rule.ts';
import { amount, because, deliveriesWait, duration } from '../words.ts';
import { workersOf } from './by-host.ts';
import { ofDestinations } from './of-destinations.ts';
import { reachEnd } from './setup.ts';

/** These need no adapter of a worker's own. */
const BUILT_IN = ['webhook', 'pull'];

const invalid: Rule = {
  code: 'destination_invalid',
  kind: 'destination',
  levels: [{ severity: 'critical' }],
  inhibits: ['destination_lags', 'destination_never_succeeded'],
  when: 'At once, when a living worker could not open a destination.',
  about:
    'Its settings cannot be used there, and its events wait. The log of that worker says which setting, as ' +
    '`destination.invalid`.',
  look: ({ parts }) =>
    whenKnown(parts, (living) => {
      const failed = workersOf(living).flatMap(({ hostName, unopened }) =>
        unopened.map(({ destinationId, code }) => ({ hostName, id: destinationId, code })),
      );
      return [...Map.groupBy(failed, ({ id }) => id)].map(([id, workers]) => {
        const [{ hostName, code } = { hostName: '', code: null }] = workers;
        const sentence = `the worker on ${hostName} cannot open ${id}${because(code)}; its events wait`;
        const mend = { text: 'mend its settings', command: `clickrelay destinations show ${id}` };
        return { id, ...fully('critical'), count: 0, sentence, mend };
      });
    }),
};

const adapterMissing: Rule = {
  code: 'adapter_missing',
  kind: 'destination',
  levels: [{ severity: 'critical' }],
  inhibits: ['destination_lags', 'destination_never_succeeded'],
  when: 'At once, when no living worker has the adapter for the type of a destination.',
  about:
    'Its events wait for ever. Start the workers with that adapter (`ADAPTERS`, see [Adapters](adapters.md)), or ' +
    'change its type.',
  look: ({ parts, destinations }) =>
    whenKnown(parts, (living) =>
      whenKnown(destinations, (all) => {
        const workers = workersOf(living);
        const known = new Set([...BUILT_IN, ...workers.flatMap(({ adapters }) => adapters)]);
        const missing = all.filter(({ type }) => !known.has(type));
        return missing.map(({ id, waiting }): Sighting | Blind => {
          if (workers.length === 0) return { id, unknown: 'no worker runs that could say which adapters it has' };
          const sentence = `no worker has the adapter that ${id} needs; ${deliveriesWait(waiting)}`;
          const mend = { text: 'start the workers with its adapter: ADAPTERS', link: 'docs/adapters.md' };
          return { id, ...fully('critical'), count: waiting, sentence, mend };
        });
      }),
    ),
};

const getsNothing = ofDestinations(
  {
    code: 'destination_gets_nothing',
    levels: [{ severity: 'info' }],
    when: 'A destination wanted none of the last 1,000 events.',
    about:
      'Its types, channels or filter may never fit. `clickrelay destinations match <id> --event evt_…` says why an ' +
      'event does not go there.',
  },
  ({ id, wantedOfLast1000 }) => {
    if (wantedOfLast1000 === null) return { unknown: 'how many of the last 1,000 events it wanted is not known' };
    if (wantedOfLast1000 > 0) return undefined;
    const command = `clickrelay destinations match ${id}`;
    const mend = { text: 'look at its types, channels and filter', command };
    return { ...fully('info'), count: 0, sentence: `${id} wanted none of the last 1000 events`, mend };
  },
);

const ASKED = [
  { severity: 'warning', raise: 10 * MINUTE_MS, clear: 10 * MINUTE_MS },
  { severity: 'critical', raise: 2 * HOUR_MS, clear: 2 * HOUR_MS },
] as const;

const consumerSilent = ofDestinations(
  {
    code: 'consumer_silent',
    levels: [{ severity: 'warning' }, { severity: 'critical' }],
    inhibits: ['destination_lags'],
    when:
      'Deliveries of a `pull` destination wait, and nobody has asked for any for 10 minutes (warning) or 2 hours ' +
      '(critical), though somebody did before.',
    about:
      'Its consumer has stopped. With n8n: is it up, and is the workflow published? [Leases](leases.md) says how a ' +
      'consumer asks.',
  },
  ({ id, type, paused, waiting, lastAskedAt }, nowMs) => {
    if (type !== 'pull' || paused !== null || waiting === 0 || lastAskedAt === null) return undefined;
    const silentMs = nowMs - lastAskedAt;
    const reached = above(silentMs, ASKED);
    if (reached === undefined) return undefined;
    const sentence = `nobody has asked for deliveries of ${id} for ${duration(silentMs)}; ${deliveriesWait(waiting)}`;
    const mend = { text: 'start its consumer; with n8n, publish the workflow', link: 'docs/leases.md' };
    return { ...reached, sinceMs: lastAskedAt, count: waiting, sentence, mend };
  },
);

const listDead = (id: string): string => `clickrelay dead-letters list --destination ${id}`;

const deadLetters = ofDestinations(
  {
    code: 'dead_letters',
    levels: [{ severity: 'warning' }],
    when: 'A destination has a dead letter.',
    about:
      'A delivery ended without success. Mend the cause, then send them again with `clickrelay replay`, or remove ' +
      'them.',
  },
  ({ id, deadLetters: count }) => {
    if (count === 0) return undefined;
    const sentence = `${id} has ${amount(count, 'dead letter')}`;
    const mend = { text: 'mend the cause, then replay or remove them', command: listDead(id) };
    return { ...fully('warning'), count, sentence, mend };
  },
);

const GROWING = 10;
const GROWING_SHARE = 0.05;
const LEAST_FIRST_ATTEMPTS = 20;
const GROWING_KEEP_MS = 15 * MINUTE_MS;

const isGrowing = ({ deadLettersLast10m, firstAttempts: { ended, failed } }: DestinationFacts): boolean =>
  deadLettersLast10m >= GROWING ||
  (deadLettersLast10m > 0 && ended >= LEAST_FIRST_ATTEMPTS && failed / ended >= GROWING_SHARE);

const deadLettersGrowing = ofDestinations(
  {
    code: 'dead_letters_growing',
    levels: [{ severity: 'critical' }],
    inhibits: ['dead_letters'],
    when:
      'A destination got 10 dead letters in 10 minutes; or any, while 5 % of 20 first attempts or more fail. Until ' +
      'it gets none for 15 minutes.',
    about: 'It refuses for good what it is sent. Pause it before more is lost, mend the cause, then replay.',
  },
  (destination, nowMs) => {
    const { id, deadLettersLast10m, newestDeadLetterAt, deadLetters: all } = destination;
    const isNow = isGrowing(destination);
    if (!isNow && newestDeadLetterAt === null) {
      return all === 0 ? undefined : { unknown: 'when its newest dead letter came is not known' };
    }
    const agoMs = nowMs - (newestDeadLetterAt ?? nowMs);
    if (!isNow && agoMs >= GROWING_KEEP_MS) return undefined;
    const sentence = isNow
      ? `${id} got ${amount(deadLettersLast10m, 'dead letter')} in the last 10 minutes`
      : `the newest of ${amount(all, 'dead letter')} of ${id} came ${duration(agoMs)} ago`;
    const mend = { text: 'pause it, mend the cause, then replay them', command: listDead(id) };
    return { ...(isNow ? fully : barely)('critical'), count: deadLettersLast10m, sentence, mend };
  },
);

const certificateExpiring = ofDestinations(
  {
    code: 'certificate_expiring',
    levels: [{ severity: 'warning' }, { severity: 'critical' }],
    when:
      'The certificate of a destination ends within 14 days (warning) or 3 days (critical), or has ended; until it ' +
      'is renewed.',
    about: 'From then on no delivery to it succeeds. Tell its owner.',
  },
  ({ id, certificateEndsAt }, nowMs) => {
    if (certificateEndsAt === null) return { unknown: 'its certificate was never seen' };
    const reached = reachEnd(certificateEndsAt, nowMs);
    if (reached === undefined) return undefined;
    const { ends, ...reach } = reached;
    return { ...reach, count: 0, sentence: `the certificate of ${id} ${ends}`, mend: { text: 'tell its owner' } };
  },
);

const LAST_CALL_MS = HOUR_MS;

const secretRotationOpen: Rule = {
  code: 'secret_rotation_open',
  kind: 'destination',
  levels: [{ severity: 'info' }, { severity: 'warning' }],
  when:
    'Two secrets of a destination, or two credentials of callbacks, are live (info); one ends within an hour, or an ' +
    'old credential was used in the last 24 hours (warning).',
  about:
    'A rotation is not finished. Bring everybody to the new one before the old one ends; to keep the old one for ' +
    'longer, rotate again with a longer `--keep-old-for`, or restore the credential.',
  look: ({ destinations, credentials }, nowMs) =>
    whenKnown(destinations, (all) =>
      whenKnown(credentials, (rotations) => [
        ...all.flatMap((one) => sightSecret(one, nowMs)),
        ...rotations.flatMap((one) => sightCredential(one, nowMs)),
      ]),
    ),
};

const sightSecret = ({ id, oldSecretEndsAt: endsAt }: DestinationFacts, nowMs: number): Sighting[] => {
  if (endsAt === null || endsAt <= nowMs) return [];
  const reached = fully(endsAt - nowMs <= LAST_CALL_MS ? 'warning' : 'info');
  const sentence = `${id} is signed with an old secret too, which ends in ${duration(endsAt - nowMs)}`;
  const mend = { text: 'give it the new secret', command: `clickrelay destinations secret ${id}` };
  return [{ id, ...reached, count: 0, sentence, mend }];
};

const sightCredential = ({ id, endsAt, lastUsedAt }: RotationFacts, nowMs: number): Sighting[] => {
  if (endsAt <= nowMs) return [];
  const isUsed = lastUsedAt !== null && nowMs - lastUsedAt < DAY_MS;
  const reached = fully(isUsed || endsAt - nowMs <= LAST_CALL_MS ? 'warning' : 'info');
  const used = lastUsedAt !== null && isUsed ? `, and was used ${duration(nowMs - lastUsedAt)} ago` : '';
  const sentence = `the old credential ${id} ends in ${duration(endsAt - nowMs)}${used}`;
  const text = 'enter the new address in the portal of Clickatell, or keep the old one for longer';
  const mend = { text, command: 'clickrelay credentials list', link: 'docs/operations.md#changing-the-credential' };
  return [{ id, kind: 'receiver', ...reached, count: 0, sentence, mend }];
};

export const destinationRules: readonly Rule[] = [
  invalid,
  adapterMissing,
  getsNothing,
  consumerSilent,
  deadLettersGrowing,
  deadLetters,
  certificateExpiring,
  secretRotationOpen,
];
