import type { Alert } from './alert.ts';

/* An alert in words, for services that people read. Each service escapes them in its own way. */

export interface Lines {
  readonly title: string;
  readonly facts: string;
  /** What to do, when there is no line to type. */
  readonly advice: string | null;
  /** A line to type. */
  readonly command: string | null;
  readonly link: string | null;
}

const headOf = ({ what, severity }: Alert): string => {
  if (what === 'resolved') return 'over';
  if (what === 'test') return 'test';
  return { raised: severity, risen: `now ${severity}`, repeated: `still ${severity}` }[what];
};

export const linesOf = (alert: Alert): Lines => {
  const { what, sentence, code, since, mend } = alert;
  // The sentence of what is over begins with that word.
  const title = what === 'resolved' ? sentence : `${headOf(alert)}: ${sentence}`;
  const facts = `${code}, since ${since.slice(0, 16).replace('T', ' ')} UTC`;
  const command = mend.command?.replaceAll('`', "'") ?? null;
  const advice = command === null && mend.text !== '' ? mend.text : null;
  return { title, facts, advice, command, link: mend.link };
};

/** Above more than one: `3 alerts: 1 critical, 1 warning, 1 over`. */
export const headlineOf = (alerts: readonly Alert[]): string => {
  const words = alerts.map(({ what, severity }) => (what === 'resolved' ? 'over' : severity));
  const counts = ['critical', 'warning', 'over']
    .map((word) => [word, words.filter((one) => one === word).length] as const)
    .filter(([, count]) => count > 0);
  return `${alerts.length} alerts: ${counts.map(([word, count]) => `${count} ${word}`).join(', ')}`;
};

/** What stands where there was no room. */
export const moreText = (left: number): string => `and ${left} more: see clickrelay status`;

/** Writes as many as fit, and says how many do not. */
export const fitting = (
  alerts: readonly Alert[],
  most: number,
  write: (shown: readonly Alert[], left: number) => string | undefined,
): string => {
  const all = alerts.length <= most ? write(alerts, 0) : undefined;
  if (all !== undefined) return all;
  let fitted: string | undefined;
  for (let shown = 1; shown <= Math.min(alerts.length, most); shown++) {
    const text = write(alerts.slice(0, shown), alerts.length - shown);
    if (text === undefined) break;
    fitted = text;
  }
  if (fitted !== undefined) return fitted;
  throw new Error('an alert that no message has room for');
};

/** A space of no width after each `@`, so that no service takes what follows for a name to call. */
export const callNobody = (text: string): string => text.replaceAll('@', '@\u200b');
