import { destinationBase, pacing } from '@clickrelay/core';
import { z } from 'zod';
import { webhookSettings } from './config.ts';
import { generateSecret } from './secret.ts';

/** A webhook destination as people write it: in a file, or in a request. The secret may be left out. */
export const webhookDestination = z.strictObject({
  ...destinationBase.shape,
  ...webhookSettings.shape,
  ...pacing,
  type: z.literal('webhook').describe('Events are POSTed to `url`.'),
  // Without its default, which would be a new secret each time.
  secret: webhookSettings.shape.secret.unwrap().optional(),
});

export type WebhookDestination = z.output<typeof webhookDestination>;

/**
 * Completes settings that leave the secret out: the one that the destination has already stays, a new destination gets
 * a generated one, which has to be shown to whoever declared it.
 */
export function withSecret<Settings extends { secret?: unknown }>(
  settings: Settings,
  presentSecret: unknown,
): { config: Settings & { secret: unknown }; generatedSecret?: string } {
  if (settings.secret !== undefined) return { config: { ...settings, secret: settings.secret } };
  if (presentSecret !== undefined) return { config: { ...settings, secret: presentSecret } };
  const generatedSecret = generateSecret();
  return { config: { ...settings, secret: generatedSecret }, generatedSecret };
}
