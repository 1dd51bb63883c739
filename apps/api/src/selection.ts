import { DESTINATION_ID } from '@clickrelay/core';
import { checkFilter } from '@clickrelay/destination-settings';
import { type Counted, type DeliverySelection, LEFT_OUT_REASONS, readDestination, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound } from './errors.ts';
import { deadLetterKind } from './schemas.ts';

/* Which deliveries are meant, for what is done to many at once: these, or all that match but these. */

/** A request may name so many. */
const MOST_NAMED = 1_000;

/** A delivery id has 31 characters more than that of its destination. */
const named = z.array(z.string().max(120)).max(MOST_NAMED);

export const filters = {
  destination: z.string().regex(DESTINATION_ID).exactOptional().describe('Of this destination only'),
  kind: deadLetterKind.exactOptional(),
  events: z.array(z.string().min(1)).min(1).max(100).exactOptional().describe('Patterns of event types: `mo*`'),
  since: z.iso
    .datetime({ offset: true })
    .exactOptional()
    .describe('Dead letters that failed, or events that came, at or after this time'),
  until: z.iso.datetime({ offset: true }).exactOptional().describe('Before this time; at most the present'),
  filter: z
    .string()
    .max(2_000)
    .check(checkFilter)
    .exactOptional()
    .describe('An expression (CEL) over `event` that must be true'),
};

export const selection = z.strictObject({
  deliveries: named
    .min(1)
    .exactOptional()
    .describe('Just these, by delivery id; not together with what chooses by anything else but the state and `until`'),
  except: named.exactOptional().describe('All that match but these, by delivery id'),
  ...filters,
});

type Selected = z.output<typeof selection> & { readonly state?: DeliverySelection['state'] };

const CHOOSING = ['except', 'destination', 'kind', 'events', 'since', 'filter'] as const;

/** Two ways to choose in one request: nobody could say which is meant. */
export const checkSelection = ({ value, issues }: z.core.ParsePayload<Selected>): void => {
  if (value.deliveries === undefined) return;
  for (const name of CHOOSING) {
    if (value[name] === undefined) continue;
    const message = 'must be left out when `deliveries` names them';
    issues.push({ code: 'custom', path: [name], message, input: value });
  }
};

/** @throws {RequestRefusedError} 404 when its destination is none */
export const toSelection = async (
  store: Store,
  { state = 'dead_letter', deliveries, except, destination, since, until, ...rest }: Selected,
): Promise<DeliverySelection> => {
  if (destination !== undefined && (await readDestination(store, destination)) === undefined) {
    throw notFound('destination', destination);
  }
  return {
    state,
    ...rest,
    ...(deliveries !== undefined && { deliveries: [...new Set(deliveries)] }),
    ...(except !== undefined && { except: [...new Set(except)] }),
    ...(destination !== undefined && { destinationId: destination }),
    ...(since !== undefined && { since: Date.parse(since) }),
    ...(until !== undefined && { until: Date.parse(until) }),
  };
};

/** What a dry run tells, and what is really done tells too. */
export const planned = z.object({
  matched: z.int().nullable().describe('How many are chosen; null when they are too many to be counted'),
  leftOut: z
    .array(z.object({ reason: z.enum(LEFT_OUT_REASONS), count: z.int() }))
    .describe('What was named, or matches, and is not chosen; see docs/api.md'),
  oldest: z.string().nullable().describe('When the event of the oldest came; null when that is not known'),
  until: z.string().describe('Sent along with the real request, it keeps out what comes in between'),
});

export const describePlan = (
  { matched, leftOut, oldest }: Counted,
  { until }: { readonly until: number },
): z.input<typeof planned> => ({
  matched: matched ?? null,
  leftOut,
  oldest,
  until: new Date(until).toISOString(),
});

/** For the audit record. A filter may hold a phone number, so that only its being there is told. */
export const auditedSelection = ({ deliveries, except, destination, events, filter, ...rest }: Selected) => ({
  destination: destination ?? null,
  events: events ?? null,
  hasFilter: filter !== undefined,
  ...(deliveries !== undefined && { deliveries: deliveries.length }),
  ...(except !== undefined && { except: except.length }),
  ...rest,
});
