import { eventSchema } from '@clickrelay/core';
import { DEAD_LETTER_KINDS } from '@clickrelay/queue';
import { z } from 'zod';

/* What the resources answer. */

export const attempt = z
  .object({
    number: z.int().describe('From 1, in the order of time'),
    startedAt: z.string(),
    durationMs: z.number(),
    outcome: z.enum(['delivered', 'retry', 'dead_letter']),
    status: z.int().nullable().describe('What the destination answered'),
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

/** How far a delivery is, without its attempts. */
export const deliverySummary = z
  .object({
    destinationId: z.string(),
    state: z.enum(['pending', 'delivered', 'dead_letter']),
    attempts: z.int().describe('How many there were'),
    nextAttemptAt: z.string().nullable(),
  })
  .meta({ id: 'DeliverySummary' });

export const event = eventSchema.meta({ id: 'Event' });

export const deadLetterKind = z
  .enum(DEAD_LETTER_KINDS)
  .describe('The destination did not take it, we could not build it, or it seems to crash its consumers');

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
      .describe('Of the last attempt; explained in docs/errors.md. Null when its attempts are gone'),
    status: z.int().nullable().describe('What the destination answered to the last attempt; null when it did not'),
    receivedAt: z.string().nullable().describe('When its callback came; null when the event is gone'),
    failedAt: z.string(),
    attempts: z.int(),
  })
  .meta({ id: 'DeadLetter' });

export const quarantined = z
  .object({
    id: z.string().describe('`qrt_…`'),
    receivedAt: z.string(),
    reason: z.string().describe('Why it could not be parsed'),
    bytes: z.int(),
  })
  .meta({ id: 'Quarantined' });

export const durabilityReport = z
  .object({
    ready: z.boolean(),
    mode: z.string().describe('What is asked of the Redis: DURABILITY'),
    durability: z.string().describe('What the Redis really does'),
    mayBeLost: z.string().describe('What that mode does not promise'),
    problems: z.array(z.object({ setting: z.string(), value: z.string(), mend: z.string() })),
  })
  .meta({ id: 'Durability' });

export const errorBody = z
  .object({
    error: z.object({
      code: z.string().describe('Stable; explained in docs/errors.md'),
      message: z.string(),
      issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ id: 'Error' });
