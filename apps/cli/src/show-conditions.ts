import type { Condition } from '@clickrelay/client';
import { lineWidth } from './fit-columns.ts';
import { paint } from './paint.ts';
import { ageOf, shortTime } from './time.ts';

/* The list of conditions for a person at a terminal: what to do first is on top, and one cause is told once. */

export interface ConditionsToShow {
  readonly conditions: readonly Condition[];
  /** How to write this command. */
  readonly command: string;
  readonly nowMs?: number;
}

const MARGIN = 10;

/** Everything that is to be said, the worst first. */
export const showConditions = ({ conditions, command, nowMs = Date.now() }: ConditionsToShow): string => {
  const told = conditions.filter(isRaised);
  const own = told.filter(({ inhibitedBy }) => inhibitedBy === null);
  const effects = (code: string): Condition[] =>
    conditions.filter(({ inhibitedBy, state }) => inhibitedBy === code && state !== 'pending');
  const block = (one: Condition): string[] => describe(one, { effects: effects(one.code), command, nowMs });
  const needing = own.filter(({ severity, acknowledged }) => severity !== 'info' && acknowledged === null);
  const known = own.filter(({ acknowledged }) => acknowledged !== null);
  const worthKnowing = own.filter(({ severity, acknowledged }) => severity === 'info' && acknowledged === null);
  const causes = new Set(own.map(({ code }) => code));
  const untold = conditions.filter(
    ({ state, inhibitedBy }) => state === 'unknown' && !(inhibitedBy !== null && causes.has(inhibitedBy)),
  );
  return [
    [
      headline(
        needing.length,
        untold.some(({ inhibitedBy }) => inhibitedBy === null),
      ),
    ],
    ...needing.map(block),
    untoldLines(untold),
    ...under('somebody knows of:', known.map(block)),
    ...under('worth knowing:', worthKnowing.map(block)),
    pendingLines(conditions.filter(({ state }) => state === 'pending')),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
};

const under = (heading: string, [first, ...more]: readonly string[][]): string[][] =>
  first === undefined ? [] : [[heading, ...first], ...more];

export const isRaised = ({ state }: Condition): boolean => state === 'raised' || state === 'clearing';

const headline = (count: number, isUntold: boolean): string => {
  if (count > 0)
    return paint('bold', count === 1 ? 'one thing needs you' : `${count} things need you, the worst first`);
  return isUntold ? paint('yellow', 'nothing needs you as far as can be told') : paint('green', 'nothing needs you');
};

const COLOURS = { critical: 'red', warning: 'yellow', info: 'bold' } as const;

const describe = (
  one: Condition,
  { effects, command, nowMs }: { effects: readonly Condition[]; command: string; nowMs: number },
): string[] => {
  const { code, severity, state, subject, since, sentence, mend, acknowledged } = one;
  const label = paint(COLOURS[severity], severity.toUpperCase().padEnd(MARGIN));
  const about = [
    subject.id === null ? code : `${code} ${subject.id}`,
    sinceOf(nowMs - Date.parse(since)),
    ...(state === 'clearing' ? ['getting better'] : []),
    ...(acknowledged === null ? [] : [`${acknowledged.by} knows${untilOf(acknowledged.until)}`]),
  ].join(', ');
  return [
    label + wrapped(sentence),
    ' '.repeat(MARGIN) + about,
    `${' '.repeat(MARGIN)}-> ${wrapped(mendOf(mend, command), 3)}`,
    ...(effects.length === 0 ? [] : [`${' '.repeat(MARGIN)}so also: ${wrapped(effectsOf(effects), 9)}`]),
  ];
};

const sinceOf = (ms: number): string => (ms < 1_000 ? 'seen now' : `for ${ageOf(ms)}`);

const untilOf = (until: string | null): string => (until === null ? '' : ` until ${shortTime(until)}`);

/** Our own lines begin with the name that this command has here. */
const mendOf = ({ text, command: line, link }: Condition['mend'], command: string): string => {
  const mine = text.replaceAll(/\bclickrelay (?=[a-z])/g, `${command} `);
  if (line === null) return link === null ? mine : `${mine} (${link})`;
  return `${mine}: ${line.replace(/^clickrelay(?= )/, command)}`;
};

/** What is wrong because of it, and how much cannot be told. */
const effectsOf = (effects: readonly Condition[]): string => {
  const untold = effects.filter(({ state }) => state === 'unknown').length;
  const things = untold === 1 ? 'one thing' : `${untold} things`;
  return [counted(effects.filter(isRaised)), ...(untold === 0 ? [] : [`${things} that cannot be told`])]
    .filter((part) => part !== '')
    .join(', ');
};

/** `destination_lags crm, destination_slow crm`; of many of one kind, how many. */
const counted = (conditions: readonly Condition[]): string =>
  [...Map.groupBy(conditions, ({ code }) => code)]
    .map(([code, all]) => (all.length > 3 ? `${code} (${all.length})` : [code, ...idsOf(all)].join(' ')))
    .join(', ');

const idsOf = (conditions: readonly Condition[]): string[] =>
  conditions.flatMap(({ subject: { id } }) => (id === null ? [] : [id]));

const REASON = /^cannot tell: (.*?)(?:; last seen: .*)?$/s;

/** Many that cannot be told for one reason are one line. */
const untoldLines = (untold: readonly Condition[]): string[] =>
  [...Map.groupBy(untold, ({ sentence }) => REASON.exec(sentence)?.[1] ?? sentence)].map(([reason, all]) => {
    const label = paint('yellow', 'UNKNOWN'.padEnd(MARGIN));
    const what = all.length > 4 ? `${all.length} things` : all.map(({ code }) => code).join(', ');
    return label + wrapped(`cannot tell ${what}: ${reason}`);
  });

const pendingLines = (pending: readonly Condition[]): string[] =>
  pending.length === 0 ? [] : [`seen, but not for long enough to say more: ${counted(pending)}`];

/** Breaks a text at spaces, so that it stays behind its margin. */
const wrapped = (text: string, further = 0): string => {
  const margin = MARGIN + further;
  const width = Math.max(lineWidth() - margin, 20);
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length <= width || last === '') lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(margin)}`);
};
