import { eventSchema } from '@clickrelay/core';
import { CONDITION_STATES, SEVERITIES, SUBJECT_KINDS } from '@clickrelay/health';
import { DEAD_LETTER_KINDS } from '@clickrelay/queue';
import { z } from 'zod';

/* The schemas of resources in answers. */

export const attempt = z
  .object({
    number: z.int().describe('From 1, in order of time'),
    startedAt: z.string(),
    durationMs: z.number(),
    outcome: z.enum(['delivered', 'retry', 'dead_letter']),
    status: z.int().nullable().describe('The status that the destination answered'),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    response: z.string().describe('The first 16 KB of the answer'),
  })
  .meta({ id: 'Attempt' });

export const delivery = z
  .object({
    id: z.string().describe('`dlv_<destination>_<event>`'),
    eventId: z.string(),
    destinationId: z.string(),
    state: z.enum(['pending', 'delivered', 'dead_letter']),
    attempts: z.array(attempt),
    nextAttemptAt: z.string().nullable(),
  })
  .meta({ id: 'Delivery' });

/** The state of a delivery, without its attempts. */
export const deliverySummary = z
  .object({
    destinationId: z.string(),
    state: z.enum(['pending', 'delivered', 'dead_letter']),
    attempts: z.int().describe('How many attempts there were'),
    nextAttemptAt: z.string().nullable(),
  })
  .meta({ id: 'DeliverySummary' });

/** A delivery in a list: what came last, without its attempts. */
export const listedDelivery = deliverySummary
  .extend({
    id: z.string().describe('`dlv_<destination>_<event>`'),
    eventId: z.string(),
    eventType: z.string().describe('`unknown` when the event has left the log'),
    receivedAt: z.string().nullable().describe('When its callback came; null when the event has left the log'),
    lastAttemptAt: z.string().nullable(),
    status: z.int().nullable().describe('What the destination answered to the last attempt; null without an answer'),
    errorCode: z.string().nullable().describe('Of the last attempt; explained in docs/errors.md'),
    error: z.string().nullable(),
  })
  .meta({ id: 'ListedDelivery' });

export const event = eventSchema.meta({ id: 'Event' });

export const deadLetterKind = z
  .enum(DEAD_LETTER_KINDS)
  .describe(
    '`refused`: the destination did not accept it; `not_built`: it could not be built from the event; ' +
      '`crashes_consumer`: it seems to crash its consumers',
  );

export const deadLetter = z
  .object({
    deliveryId: z.string(),
    eventId: z.string(),
    destinationId: z.string(),
    eventType: z.string(),
    kind: deadLetterKind,
    error: z.string(),
    errorCode: z
      .string()
      .nullable()
      .describe('The code of the last attempt, explained in docs/errors.md; null when the attempts are no longer kept'),
    status: z
      .int()
      .nullable()
      .describe('The status that the destination answered to the last attempt; null when it did not answer'),
    receivedAt: z.string().nullable().describe('When its callback came; null when the event has left the log'),
    failedAt: z.string(),
    attempts: z.int(),
  })
  .meta({ id: 'DeadLetter' });

export const quarantined = z
  .object({
    id: z.string().describe('`qrt_…`'),
    receivedAt: z.string(),
    reason: z.string().describe('Why it could not be used'),
    bytes: z.int(),
  })
  .meta({ id: 'Quarantined' });

export const durabilityReport = z
  .object({
    ready: z.boolean(),
    mode: z.string().describe('How safe Redis must be: DURABILITY'),
    durability: z.string().describe('How safe Redis is'),
    mayBeLost: z.string().describe('What Redis may lose all the same'),
    problems: z.array(z.object({ setting: z.string(), value: z.string(), mend: z.string() })),
  })
  .meta({ id: 'Durability' });

export const subject = z.object({
  kind: z.enum(SUBJECT_KINDS),
  id: z.string().nullable().describe('A destination, a channel, or the host of a part; null: all of them'),
});

export const condition = z
  .object({
    code: z.string().describe('Stable; explained in docs/conditions.md'),
    severity: z
      .enum(SEVERITIES)
      .describe('`critical`: callbacks are lost or do not arrive now; `warning`: a person is needed today'),
    state: z
      .enum(CONDITION_STATES)
      .describe('`pending`: not for long enough yet; `clearing`: over, but not for long enough; `unknown`: who knows'),
    subject,
    since: z.string().describe('The first moment it was true; of `unknown`, since when it cannot be told'),
    count: z.int().describe('Deliveries, callbacks or bytes that wait or fail because of it'),
    sentence: z.string().describe('Holds no personal data'),
    mend: z.object({
      text: z.string(),
      command: z.string().nullable().describe('A line to type'),
      link: z.string().nullable().describe('A page of the docs'),
    }),
    inhibitedBy: z.string().nullable().describe('The code of the condition that causes this one'),
    acknowledged: z
      .object({
        by: z.string(),
        until: z.string().nullable().describe('Null: until the condition ends'),
        note: z.string().nullable().describe('What that person wrote'),
      })
      .nullable(),
  })
  .meta({ id: 'Condition' });

export const errorBody = z
  .object({
    error: z.object({
      code: z.string().describe('Stable; explained in docs/errors.md'),
      message: z.string(),
      issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ id: 'Error' });
