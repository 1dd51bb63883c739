import { CHANNEL_TYPES, type Channel, type ChannelState, channelDeclaration, hideChannel } from '@clickrelay/alerts';
import { DESTINATION_ID } from '@clickrelay/core';
import { RULES } from '@clickrelay/health';
import { openAlertRecords, type Store } from '@clickrelay/queue';
import { z } from 'zod';

/* What the operations on channels of alerts have in common. */

export const openRecords = (store: Store) => openAlertRecords<Channel, ChannelState>(store);

export const channelParams = z.object({
  id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`'),
});

export const declaration = channelDeclaration(RULES.map(({ code }) => code));

const { shape } = declaration;

export const channel = z
  .object({
    id: z.string(),
    type: z.enum(CHANNEL_TYPES),
    url: z.string().describe('`(hidden)`: who knows it may post'),
    secret: z.string().exactOptional().describe('Shown only in the answer that generated it; hidden otherwise'),
    severities: shape.severities.unwrap(),
    codes: z.array(z.string()),
    groupWait: z.string(),
    groupInterval: z.string(),
    repeat: z.object({ critical: z.string(), warning: z.string() }),
    quiet: z
      .object({
        from: z.string(),
        to: z.string(),
        days: z.array(z.string()),
        timeZone: z.string(),
        critical: z.boolean(),
      })
      .nullable(),
    sendResolved: z.boolean(),
    failing: z
      .object({ since: z.string(), code: z.string().describe("The answer's status, or the code of the error") })
      .nullable()
      .describe('That it took no alert after three tries; null while it works'),
  })
  .meta({ id: 'AlertChannel' });

export const describeChannel = (
  one: Channel,
  failing: { readonly since: number; readonly code: string } | undefined,
) => ({
  ...hideChannel(one),
  failing: failing === undefined ? null : { since: new Date(failing.since).toISOString(), code: failing.code },
});

/** What a person changed, for the audit record: of the URL and the secret only that they are others. */
export const channelChanges = (before: Channel, after: Channel): Readonly<Record<string, unknown>> => {
  const was: Readonly<Record<string, unknown>> = { ...before };
  const is: Readonly<Record<string, unknown>> = { ...after };
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return Object.fromEntries(
    names
      .filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]))
      .map((name) => {
        if (name === 'url' || name === 'secret') return [name, 'changed'];
        return [name, { before: was[name] ?? null, after: is[name] ?? null }];
      }),
  );
};
