import type { Alert } from '../alert.ts';
import { callNobody, fitting, headlineOf, type Lines, linesOf, moreText } from '../lines.ts';

/** A message has at most 50 blocks. */
const MOST_BLOCKS = 45;
/** What Slack advises for `text`; Mattermost and Rocket.Chat show nothing else. */
const MOST_CHARACTERS = 4_000;

/** Slack reads these three, and nothing else, as more than text. */
const escaped = (text: string): string =>
  callNobody(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const textOf = ({ title, facts, advice, command, link }: Lines): string =>
  [
    `*${escaped(title)}*`,
    escaped(facts),
    ...(advice === null ? [] : [escaped(advice)]),
    ...(command === null ? [] : [`\`${escaped(command)}\``]),
    ...(link === null ? [] : [`<${escaped(link).replaceAll('|', '%7C')}|Open>`]),
  ].join('\n');

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });

export const slackBody = (alerts: readonly Alert[]): string =>
  fitting(alerts, MOST_BLOCKS, (shown, left) => {
    const texts = [
      ...(alerts.length > 1 ? [headlineOf(alerts)] : []),
      ...shown.map((alert) => textOf(linesOf(alert))),
      ...(left > 0 ? [moreText(left)] : []),
    ];
    const text = texts.join('\n\n');
    return text.length <= MOST_CHARACTERS ? JSON.stringify({ text, blocks: texts.map(section) }) : undefined;
  });
