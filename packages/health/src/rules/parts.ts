import { MINUTE_MS } from '@clickrelay/core';
import type { Part } from '@clickrelay/queue';
import { whenKnown } from '../known.ts';
import { above, fully } from '../reach.ts';
import type { Rule, Sighting } from '../rule.ts';
import { amount, duration, list, percent } from '../words.ts';
import { nameOf, worstOfEach } from './by-host.ts';

const nonePresent = (
  role: 'receiver' | 'worker',
  { effect, ...rule }: Pick<Rule, 'code' | 'inhibits' | 'about'> & { readonly effect: string },
): Rule => ({
  ...rule,
  kind: role,
  levels: [{ severity: 'critical', forMs: 30_000 }],
  when: `No ${role} has been heard of for 46 seconds.`,
  look: ({ parts }) =>
    whenKnown(parts, (living) =>
      living.some((part) => part.role === role)
        ? []
        : [
            {
              id: null,
              ...fully('critical'),
              count: 0,
              sentence: `no ${role} is running, or none reaches this Redis; ${effect}`,
              mend: {
                text: 'start one, with the same Redis as this API',
                command: `clickrelay start --roles ${role}`,
                link: 'docs/operations.md#several-machines',
              },
            },
          ],
    ),
});

const noReceiver = nonePresent('receiver', {
  code: 'no_receiver',
  inhibits: ['silence', 'never_received'],
  effect: 'Clickatell gets no answer',
  about:
    'Clickatell gets no answer, and sends its callbacks again for some time. Start a receiver with the same Redis.',
});

const noWorker = nonePresent('worker', {
  code: 'no_worker',
  inhibits: ['worker_behind', 'routing_stuck', 'destination_lags'],
  effect: 'callbacks are kept, and nothing is delivered',
  about: 'Callbacks are kept, and nothing is delivered. Start a worker with the same Redis.',
});

const OFFSET = [
  { severity: 'warning', raise: 2_000, clear: 1_000 },
  { severity: 'critical', raise: 30_000, clear: 20_000 },
] as const;
const JUMP_MS = 2_000;
const CLOCK_FOR_MS = MINUTE_MS;

const clockWrong: Rule = {
  code: 'clock_wrong',
  kind: 'relay',
  levels: [
    { severity: 'warning', forMs: CLOCK_FOR_MS },
    { severity: 'critical', forMs: CLOCK_FOR_MS },
  ],
  inhibits: ['clickatell_lag', 'destination_lags'],
  when:
    'The clock of a machine has differed from that of Redis by 2 seconds (warning) or 30 (critical) for a minute, ' +
    'until 1 or 20; or it was put forward or back by 2 seconds (warning, at once).',
  about:
    'Times of arrival are wrong, and five minutes off, destinations refuse the signatures. Keep clocks in sync with ' +
    'NTP: [Clocks](operations.md#clocks).',
  look: ({ parts }, nowMs) =>
    whenKnown(parts, (living) => worstOfEach(living.flatMap((part) => sightClock(part, nowMs)))),
};

const sightClock = ({ hostName, clockOffsetMs, clockJumpMs }: Part, nowMs: number): Sighting[] => {
  const offsetMs = Math.abs(clockOffsetMs);
  const off = above(offsetMs, OFFSET);
  const jumped = Math.abs(clockJumpMs) >= JUMP_MS;
  if (off === undefined && !jumped) return [];
  const mend = { text: `keep the clock of ${hostName} in sync: NTP`, link: 'docs/operations.md#clocks' };
  const seen = { id: hostName, count: 0, mend };
  if (off !== undefined && (off.raises !== null || !jumped)) {
    const way = clockOffsetMs < 0 ? 'behind' : 'ahead of';
    const sentence = `the clock of ${hostName} is ${seconds(offsetMs)} ${way} that of Redis`;
    return [{ ...seen, ...off, sentence }];
  }
  // It was seen within the last minute, and is told at once.
  const sentence = `the clock of ${hostName} was changed by ${seconds(Math.abs(clockJumpMs))} while it ran`;
  return [{ ...seen, ...fully('warning'), sinceMs: nowMs - CLOCK_FOR_MS, sentence }];
};

/** `2.5 seconds`, and less exactly what is a minute or more. */
const seconds = (ms: number): string => (ms < MINUTE_MS ? amount(Math.floor(ms / 100) / 10, 'second') : duration(ms));

const BUSY = [{ severity: 'warning', raise: 0.95, clear: 0.8 }] as const;

const processBusy: Rule = {
  code: 'process_busy',
  kind: 'relay',
  levels: [{ severity: 'warning', forMs: 10 * MINUTE_MS }],
  when: 'A process has been busy for more than 95 % of the time for 10 minutes; until 80 %.',
  about: 'It is at the limit of one core. Start one more of its kind, on this machine or another.',
  look: ({ parts }) =>
    whenKnown(parts, (living) =>
      worstOfEach(
        living.flatMap((part) => {
          const reached = above(part.eventLoop, BUSY);
          if (reached === undefined) return [];
          const sentence = `${nameOf(part)} is busy for ${percent(part.eventLoop)} of the time`;
          const mend = { text: 'start one more', command: `clickrelay start --roles ${part.role}` };
          return [{ id: part.hostName, kind: part.role, ...reached, count: 0, sentence, mend }];
        }),
      ),
    ),
};

const DEATHS = [
  { severity: 'warning', raise: 3, clear: 1 },
  { severity: 'critical', raise: 10, clear: 5 },
] as const;

const restarts: Rule = {
  code: 'restarts',
  kind: 'relay',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when: 'A part died 3 times (warning) or 10 times (critical) within an hour; until 1 or 5 times.',
  about: 'Something kills it, or it ends itself. Its log says why: `data/logs/clickrelay.log`, or the journal.',
  look: ({ deaths }) =>
    whenKnown(deaths, (counted) =>
      worstOfEach(
        counted.flatMap(({ role, hostName, count }) => {
          const reached = above(count, DEATHS);
          if (reached === undefined) return [];
          const sentence = `${nameOf({ role, hostName })} died ${amount(count, 'time')} in the last hour`;
          return [{ id: hostName, kind: role, ...reached, count, sentence, mend: { text: 'look into its log' } }];
        }),
      ),
    ),
};

const partsDiffer: Rule = {
  code: 'parts_differ',
  kind: 'relay',
  levels: [{ severity: 'warning', forMs: 10 * MINUTE_MS }],
  when: 'For 10 minutes, living parts have run different versions, or parts of a kind have had different settings.',
  about:
    'An upgrade takes minutes; what differs for longer was forgotten. Workers must agree in `EGRESS_ALLOW`, ' +
    '`RETRY_SCHEDULE` and `DEDUPE_TTL`, or what becomes of an event depends on who takes it. Restart the part that ' +
    'the condition names.',
  look: ({ parts }) =>
    whenKnown(parts, (living) => {
      const differing = [...differencesOf('version', living, ({ version }) => version), ...differingSettings(living)];
      const [first] = differing;
      if (first === undefined) return [];
      const odd = new Set(differing.flatMap((one) => one.odd));
      const sentence = differing.map((one) => one.sentence).join('; ');
      const mend = { text: 'restart it, with the version and the settings of the others' };
      return [{ id: null, ...fully('warning'), count: odd.size, sentence, mend }];
    }),
};

interface Difference {
  readonly odd: readonly Part[];
  readonly sentence: string;
}

const differingSettings = (living: readonly Part[]): Difference[] =>
  [...Map.groupBy(living, ({ role }) => role)].flatMap(([, alike]) => {
    const names = new Set(alike.flatMap(({ settings }) => Object.keys(settings)));
    // A name that is no name of a setting is not ours to tell.
    return [...names]
      .filter((name) => /^[A-Z][A-Z_]*$/.test(name))
      .flatMap((name) => differencesOf(name, alike, ({ settings }) => settings[name]));
  });

/** Those that are not like most; of two halves, the one that started last is taken to be right. */
const differencesOf = (
  what: string,
  living: readonly Part[],
  tells: (part: Part) => string | undefined,
): Difference[] => {
  const telling = living.filter((part) => tells(part) !== undefined);
  const groups = [...Map.groupBy(telling, tells).values()].sort(
    (a, b) => b.length - a.length || lastStart(b).localeCompare(lastStart(a)),
  );
  const [most, ...others] = groups;
  const odd = others.flat();
  if (most === undefined || odd.length === 0) return [];
  const names = list([...new Set(odd.map(nameOf))].sort());
  return [{ odd, sentence: `the ${what} of ${names} differs from that of ${amount(most.length, 'other part')}` }];
};

const lastStart = (parts: readonly Part[]): string =>
  parts
    .map(({ startedAt }) => startedAt)
    .sort()
    .at(-1) ?? '';

export const partRules: readonly Rule[] = [noReceiver, noWorker, clockWrong, processBusy, restarts, partsDiffer];
