import type { Alert } from '../alert.ts';
import { fitting, headlineOf, type Lines, linesOf, moreText } from '../lines.ts';

/** A message has at most 28 KB; some of that is for what the flow adds. */
const MOST_BYTES = 24_000;
const MOST_BLOCKS = 100;
/** Teams shows no more of them as buttons. */
const MOST_ACTIONS = 5;

/** The part of Markdown that a text block of a card reads. */
const escaped = (text: string): string => text.replaceAll(/[\\*_[\]]/g, '\\$&');

const textOf = ({ title, facts, advice, command }: Lines): string =>
  [
    `**${escaped(title)}**`,
    escaped(facts),
    ...(advice === null ? [] : [escaped(advice)]),
    ...(command === null ? [] : [escaped(command)]),
  ].join('\n\n');

const textBlock = (text: string) => ({ type: 'TextBlock', text, wrap: true });

const actionsOf = (alerts: readonly Alert[]) =>
  alerts
    .flatMap(({ subject: { id }, mend: { link } }) => {
      const title = alerts.length === 1 ? 'Open' : `Open ${id ?? 'Clickrelay'}`;
      return link === null ? [] : [{ type: 'Action.OpenUrl', title, url: link }];
    })
    .slice(0, MOST_ACTIONS);

/** An Adaptive Card: Workflows takes no other. */
export const teamsBody = (alerts: readonly Alert[]): string =>
  fitting(alerts, MOST_BLOCKS, (shown, left) => {
    const texts = [
      ...(alerts.length > 1 ? [headlineOf(alerts)] : []),
      ...shown.map((alert) => textOf(linesOf(alert))),
      ...(left > 0 ? [moreText(left)] : []),
    ];
    const actions = actionsOf(shown);
    const content = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      body: texts.map(textBlock),
      ...(actions.length > 0 && { actions }),
    };
    const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content };
    const text = JSON.stringify({ type: 'message', attachments: [attachment] });
    return Buffer.byteLength(text) <= MOST_BYTES ? text : undefined;
  });
