import { HOUR_MS, parseDuration } from '@clickrelay/core';
import {
  checkUrl,
  generateSecret,
  HIDDEN,
  MissingSecretError,
  type WebhookConfig,
  webhookDestination,
} from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { matchesGlob } from './glob.ts';
import { quietHours } from './quiet-hours.ts';

/* Channels: whom alerts go to, as people write them and as they are kept. The URL lets anybody post: it is a secret. */

export const CHANNEL_TYPES = ['webhook', 'slack', 'teams', 'discord'] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;

const issue = (message: string) => ({ code: 'custom', message, input: undefined }) as const;

const span = (least: readonly [text: string, ms: number], most: readonly [text: string, ms: number]) =>
  z.string().refine(
    (text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms >= least[1] && ms <= most[1];
    },
    { error: `must be a duration such as 30s, 5m or 4h, from ${least[0]} to ${most[0]}` },
  );

const wait = span(['0s', 0], ['1d', DAY_MS]);
const repeat = span(['1m', MINUTE_MS], ['30d', 30 * DAY_MS]);

/** What people may write. Secrets that are left out are kept. @param knownCodes those that a glob may match */
export const channelDeclaration = (knownCodes: readonly string[]) =>
  z
    .strictObject({
      type: z.enum(CHANNEL_TYPES).describe('What takes the message; `slack` also for Mattermost and Rocket.Chat'),
      url: z
        .string()
        .check(({ value, issues }) => {
          const refusal = value === HIDDEN ? undefined : checkUrl(value);
          if (refusal !== undefined) issues.push(issue(refusal));
        })
        .optional()
        .describe('Where messages are POSTed. A secret: never shown again. Left out: as it is'),
      secret: webhookDestination.shape.secret.describe(
        'Of type `webhook` only: signs as for destinations (Standard Webhooks). Default: generated',
      ),
      severities: z
        .array(z.enum(['critical', 'warning']))
        .min(1)
        .default(['critical', 'warning'])
        .describe('Which severities it is told'),
      codes: z
        .array(
          z.string().check(({ value, issues }) => {
            if (value === '*' || knownCodes.some((code) => matchesGlob(value, code))) return;
            issues.push(
              issue('must match a code of a condition, such as destination_*; docs/conditions.md lists them'),
            );
          }),
        )
        .min(1)
        .default(['*'])
        .describe('Which conditions it is told; `*` stands for any characters'),
      groupWait: wait.default('30s').describe('How long the first news waits for more'),
      groupInterval: wait
        .default('5m')
        .describe('The least time between two messages; what is newly critical waits for `groupWait` only'),
      repeat: z
        .strictObject({ critical: repeat.default('4h'), warning: repeat.default('24h') })
        .prefault({})
        .describe('After how long it is told again what is still raised'),
      quiet: quietHours.nullable().default(null).describe('When it is told nothing that can wait; null: never'),
      sendResolved: z.boolean().default(true).describe('Whether it is told when something that it was told has ended'),
    })
    .check(({ value: { type, secret }, issues }) => {
      if (type === 'webhook' || secret === undefined) return;
      issues.push({ ...issue(`secret is of type webhook only: ${type} verifies no signature`), path: ['secret'] });
    });

export type DeclaredChannel = z.output<ReturnType<typeof channelDeclaration>>;

/** A channel as it is kept. */
export interface Channel extends Omit<DeclaredChannel, 'url' | 'secret'> {
  readonly id: string;
  readonly url: string;
  /** Of type `webhook`. */
  readonly secret?: WebhookConfig['secret'];
}

/**
 * Completes what is left out or hidden with what there is.
 * @throws {MissingSecretError} when there is nothing to keep
 */
export const completeChannel = (
  id: string,
  { url, secret, ...rest }: DeclaredChannel,
  present: Channel | undefined,
): { channel: Channel; generatedSecret: string | undefined } => {
  const isKept = url === undefined || url === HIDDEN;
  if (isKept && present === undefined) throw new MissingSecretError('url', 'is left out, and there is none to keep');
  if (isKept && present?.type !== rest.type) {
    throw new MissingSecretError('url', 'is left out, and was for another type: give it again');
  }
  const completed = { id, ...rest, url: isKept ? (present as Channel).url : url };
  if (rest.type !== 'webhook') return { channel: completed, generatedSecret: undefined };
  const given = secret === HIDDEN ? undefined : secret;
  const generatedSecret = given === undefined && present?.secret === undefined ? generateSecret() : undefined;
  const kept = given ?? present?.secret ?? generatedSecret;
  return { channel: { ...completed, ...(kept !== undefined && { secret: kept }) }, generatedSecret };
};

/** A channel without its secrets. */
export const hideChannel = ({ url: _, secret, ...rest }: Channel) => ({
  ...rest,
  url: HIDDEN,
  ...(secret !== undefined && { secret: HIDDEN }),
});

/** A span of a channel that its schema took, in ms. */
export const msOf = (text: string): number => parseDuration(text) as number;
