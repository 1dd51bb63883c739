import type { Alert } from '../alert.ts';
import { callNobody, fitting, headlineOf, type Lines, linesOf, moreText } from '../lines.ts';

const MOST_CHARACTERS = 2_000;

const escaped = (text: string): string => callNobody(text).replaceAll(/[\\*_~`|<>#[\]]/g, '\\$&');

const textOf = ({ title, facts, advice, command, link }: Lines): string =>
  [
    `**${escaped(title)}**`,
    escaped(facts),
    ...(advice === null ? [] : [escaped(advice)]),
    ...(command === null ? [] : [`\`${callNobody(command)}\``]),
    // In angle brackets it shows no preview.
    ...(link === null ? [] : [`<${link}>`]),
  ].join('\n');

export const discordBody = (alerts: readonly Alert[]): string =>
  fitting(alerts, alerts.length, (shown, left) => {
    const texts = [
      ...(alerts.length > 1 ? [headlineOf(alerts)] : []),
      ...shown.map((alert) => textOf(linesOf(alert))),
      ...(left > 0 ? [moreText(left)] : []),
    ];
    const content = texts.join('\n\n');
    // Without the second field, a name such as @everyone calls everyone.
    return content.length <= MOST_CHARACTERS ? JSON.stringify({ content, allowed_mentions: { parse: [] } }) : undefined;
  });

/** Without `wait`, a message that was not kept is answered like one that was. */
export const discordUrl = (url: string): string => {
  const waiting = new URL(url);
  waiting.searchParams.set('wait', 'true');
  return waiting.href;
};

/** Discord says how long to wait in the body too, in seconds. */
export const discordRetryAfterMs = (response: string): number | undefined => {
  const [, seconds] = /"retry_after"\s*:\s*(\d{1,6}(?:\.\d{1,6})?)/.exec(response) ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1_000);
};
