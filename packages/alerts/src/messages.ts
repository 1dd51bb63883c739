import type { Alert } from './alert.ts';
import { discordBody, discordUrl } from './bodies/discord.ts';
import { slackBody } from './bodies/slack.ts';
import { teamsBody } from './bodies/teams.ts';
import { webhookBody } from './bodies/webhook.ts';
import type { Channel } from './channel.ts';

/** One request to a channel, and the alerts in it. */
export interface Message {
  readonly url: string;
  readonly body: string;
  /** Signs it; null for services that verify nothing. */
  readonly signedAs: string | null;
  readonly alerts: readonly Alert[];
}

/** A service that people read gets one message; a program gets one for each alert, with an id of its own. */
export const messagesFor = ({ type, url }: Channel, alerts: readonly Alert[]): Message[] => {
  if (type === 'webhook') {
    return alerts.map((alert) => ({ url, body: webhookBody(alert), signedAs: alert.id, alerts: [alert] }));
  }
  const body = { slack: slackBody, teams: teamsBody, discord: discordBody }[type](alerts);
  return [{ url: type === 'discord' ? discordUrl(url) : url, body, signedAs: null, alerts }];
};
