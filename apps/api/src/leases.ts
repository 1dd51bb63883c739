import { DESTINATION_ID, formatEvent, type LoggedEvent } from '@clickrelay/core';
import { type Lease, type Peeked, peekRecent, peekWaiting } from '@clickrelay/queue';
import { z } from 'zod';
import { assertBoundTo } from './authorize.ts';
import { JsonText, operation } from './operation.ts';
import { event } from './schemas.ts';

const params = z.object({ id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`') });

const LONGEST_WAIT_MS = 30_000;

const leaseMs = z.int().min(1_000).max(3_600_000);

const held = z.object({
  deliveryId: z.string().max(200).describe('`dlv_…`'),
  leaseToken: z.string().max(200).describe('The token that came with the lease'),
});

const leased = z
  .object({
    deliveryId: z.string().describe('`dlv_<destination>_<event>`'),
    leaseToken: z.string().describe('Settles or extends the lease'),
    attempt: z.int().describe('From 1; counts earlier leases that were nacked or expired'),
    leaseEndsAt: z.string().describe('When the delivery comes back, unless it is acked, nacked or extended before'),
    event,
  })
  .meta({ id: 'Lease' });

const peeked = leased.pick({ deliveryId: true, attempt: true, event: true }).meta({ id: 'PeekedDelivery' });

const errors = {
  404: 'destination_not_found` or `delivery_not_found',
  409: 'lease_lost` or `not_a_pull_destination',
} as const;

/** Adds the event as it would be sent, so that long numbers keep every digit. */
const withEvent = (told: object, logged: LoggedEvent): string =>
  `${JSON.stringify(told).slice(0, -1)},"event":${formatEvent(logged, 'event').body}}`;

const leaseText = ({ deliveryId, token, attempt, endsAt, event: logged }: Lease): string =>
  withEvent({ deliveryId, leaseToken: token, attempt, leaseEndsAt: endsAt }, logged);

const peekedText = ({ deliveryId, attempt, event: logged }: Peeked): string =>
  withEvent({ deliveryId, attempt }, logged);

export const leaseOperations = [
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/lease',
    summary: 'Lease deliveries of a pull destination',
    description: 'Oldest first; waits for the first one.',
    scopes: ['lease'],
    params,
    body: z
      .object({
        max: z.int().min(1).max(100).default(1).describe('How many deliveries at most'),
        waitMs: z.int().min(0).max(LONGEST_WAIT_MS).default(0).describe('How long to wait for the first delivery'),
        leaseMs: leaseMs.default(30_000).describe('How long the leases last'),
      })
      .prefault({}),
    deadlineMs: LONGEST_WAIT_MS + 5_000,
    response: z.object({ deliveries: z.array(leased).describe('Empty when no delivery came in time') }),
    errors: { 404: 'destination_not_found', 409: 'not_a_pull_destination', 429: 'too_many_leases' },
    run: async ({ params: { id }, body }, { leases, metrics }, { caller, signal, onUnsent }) => {
      assertBoundTo(caller, id);
      const taken = await leases.lease(id, { ...body, signal });
      onUnsent(() => leases.giveBack(id, taken));
      for (const { attempt, event } of taken) if (attempt === 1) metrics.leased(event.event.receivedAt);
      return new JsonText(`{"deliveries":[${taken.map(leaseText).join(',')}]}`);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/ack',
    summary: 'Acknowledge a delivery',
    description: 'The work is done. Repeating an ack is safe.',
    scopes: ['lease'],
    params,
    body: held,
    response: z.object({ deliveryId: z.string(), state: z.literal('delivered') }),
    errors,
    run: async ({ params: { id }, body: { deliveryId, leaseToken: token } }, { leases }, { caller }) => {
      assertBoundTo(caller, id);
      return { deliveryId, ...(await leases.ack(id, { deliveryId, token })) };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/nack',
    summary: 'Say that a delivery failed',
    description: 'To be tried again by the schedule, or never.',
    scopes: ['lease'],
    params,
    body: held.extend({
      error: z
        .string()
        .transform((text) => text.slice(0, 1_000))
        .default('')
        .describe('Why it failed; the first 1,000 characters become the error of the attempt'),
      retry: z
        .boolean()
        .default(true)
        .describe('Whether another attempt may help; false makes it a dead letter at once'),
    }),
    response: z.union([
      z.object({ deliveryId: z.string(), state: z.literal('retrying'), nextAttemptAt: z.string() }),
      z.object({ deliveryId: z.string(), state: z.literal('dead_letter') }),
    ]),
    errors,
    run: async ({ params: { id }, body }, { leases }, { caller }) => {
      assertBoundTo(caller, id);
      const { deliveryId, leaseToken: token, error, retry } = body;
      const failure = { error: error || 'the consumer gave it back and did not say why', retry };
      return { deliveryId, ...(await leases.nack(id, { deliveryId, token }, failure)) };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/extend',
    summary: 'Extend a lease',
    description: 'Counted from now.',
    scopes: ['lease'],
    params,
    body: held.extend({ leaseMs: leaseMs.default(30_000) }),
    response: z.object({ leaseEndsAt: z.string() }),
    errors,
    run: async ({ params: { id }, body }, { leases }, { caller }) => {
      assertBoundTo(caller, id);
      const { deliveryId, leaseToken: token } = body;
      return { leaseEndsAt: await leases.extend(id, { deliveryId, token }, body.leaseMs) };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/peek',
    summary: 'Peek at what would be leased next',
    description: 'Without taking it.',
    scopes: ['lease'],
    params,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(1),
      recent: z
        .enum(['true', 'false'])
        .default('false')
        .describe('When nothing waits, show the newest events of the log that this destination wants'),
    }),
    response: z.object({
      deliveries: z.array(peeked),
      source: z.enum(['waiting', 'log']).describe('Whether these deliveries wait, or come from the log'),
    }),
    errors: { 404: 'destination_not_found', 409: 'not_a_pull_destination' },
    run: async ({ params: { id }, query: { limit, recent } }, { leases, store }, { caller }) => {
      assertBoundTo(caller, id);
      const destination = await leases.destination(id);
      let source = 'waiting';
      let found = await peekWaiting(store, destination, limit);
      if (found.length === 0 && recent === 'true') {
        source = 'log';
        found = await peekRecent(store, destination, limit);
      }
      return new JsonText(`{"deliveries":[${found.map(peekedText).join(',')}],"source":"${source}"}`);
    },
  }),
];
