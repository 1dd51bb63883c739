import { DESTINATION_ID, parseDuration } from '@clickrelay/core';
import { changeDestination, type Destination, readDestination } from '@clickrelay/queue';
import { type RotatedSecrets, rotateSecrets, webhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { notFound } from './errors.ts';
import { grace } from './grace.ts';
import { operation } from './operation.ts';

const params = z.object({ id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`') });

/** The secret as declared: one, or all live ones. It has no default, which would generate a new one each time. */
const secret = webhookConfig.shape.secret.unwrap();

const keepOldFor = grace
  .default('24h')
  .describe('How long the old secret keeps signing too: `24h`, `7d`; `0s` ends a leaked one at once');

const secretOf = ({ config }: Destination): z.output<typeof secret> | undefined => {
  const result = secret.safeParse(config['secret']);
  return result.success ? result.data : undefined;
};

const liveSecret = z
  .object({
    secret: z.string(),
    until: z.string().nullable().describe('Until when it signs; null as long as it is not replaced'),
  })
  .meta({ id: 'LiveSecret' });

/** One shape for one secret and for several, however they were declared. */
const asList = (declared: z.output<typeof secret>): z.input<typeof liveSecret>[] =>
  [declared].flat().map((one) => (typeof one === 'string' ? { secret: one, until: null } : one));

export const destinationSecretOperations = [
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/secret',
    summary: 'Show the signing secrets',
    description: 'All that sign deliveries to a webhook destination now, the first one first.',
    scopes: ['reveal'],
    params,
    response: z.object({ id: z.string(), secrets: z.array(liveSecret) }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      const found = await readDestination(store, id);
      if (found === undefined) throw notFound('destination', id);
      const present = secretOf(found);
      if (present === undefined) throw notFound('secret of', id);
      await audit('destination.secret_shown', id);
      return { id, secrets: asList(present) };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/rotate-secret',
    summary: 'Rotate the signing secret',
    description: 'The old one signs too for a while.',
    scopes: ['admin'],
    params,
    body: z.object({ keepOldFor }).prefault({}),
    response: z
      .object({
        id: z.string(),
        secrets: z.array(liveSecret).describe('The new secret; two when HMAC and Ed25519 keys were both in use'),
        oldUntil: z.string().nullable().describe('Until when the old secret signs too; null when it has ended'),
      })
      .meta({ id: 'RotatedSecret' }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body }, { store }, { audit }) => {
      const keepOldForMs = parseDuration(body.keepOldFor) as number;
      let rotated: RotatedSecrets | undefined;
      const changed = await changeDestination(store, id, (present) => {
        if (present === undefined) return undefined;
        const secrets = secretOf(present);
        if (secrets === undefined) throw notFound('secret of', id);
        rotated = rotateSecrets(secrets, { keepOldForMs, nowMs: Date.now() });
        return { ...present, config: { ...present.config, secret: rotated.secrets } };
      });
      if (changed === undefined || rotated === undefined) throw notFound('destination', id);
      const { made, oldUntil } = rotated;
      await audit('destination.secret_rotated', id, { oldUntil });
      return { id, secrets: asList([...made]), oldUntil };
    },
  }),
];
