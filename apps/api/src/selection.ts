import { DESTINATION_ID, toIso } from '@clickrelay/core';
import { checkEventTypes, checkFilter } from '@clickrelay/destination-settings';
import { type Counted, type DeliverySelection, LEFT_OUT_REASONS, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { assertDestination } from './assert-destination.ts';
import { deadLetterKind } from './schemas.ts';

/* Chooses deliveries for operations on many of them: the ones named, or all that match except the ones named. */

/** How many deliveries a request may name. */
const MOST_NAMED = 1_000;

/** A delivery id is 31 characters longer than the id of its destination. */
const named = z.array(z.string().max(120)).max(MOST_NAMED);

export const filters = {
  destination: z.string().regex(DESTINATION_ID).exactOptional().describe('Only those of this destination'),
  kind: deadLetterKind.exactOptional(),
  events: z
    .array(z.string().min(1))
    .min(1)
    .max(100)
    .check(checkEventTypes)
    .exactOptional()
    .describe('Patterns of event types: `mo*`'),
  since: z.iso
    .datetime({ offset: true })
    .exactOptional()
    .describe('Dead letters that failed, or events that came in, at or after this time'),
  until: z.iso.datetime({ offset: true }).exactOptional().describe('Before this time; at most now'),
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
    .describe('Only these, by delivery id; besides them only the state and `until` may be given'),
  except: named.exactOptional().describe('All that match except these, by delivery id'),
  ...filters,
});

type Selected = z.output<typeof selection> & { readonly state?: DeliverySelection['state'] };

const CHOOSING = ['except', 'destination', 'kind', 'events', 'since', 'filter'] as const;

/** Refuses two ways to choose in one request: nobody could say which is meant. */
export const checkSelection = ({ value, issues }: z.core.ParsePayload<Selected>): void => {
  if (value.deliveries === undefined) return;
  for (const name of CHOOSING) {
    if (value[name] === undefined) continue;
    const message = 'must be left out when `deliveries` names them';
    issues.push({ code: 'custom', path: [name], message, input: value });
  }
};

/** @throws {RequestRefusedError} 404 when there is no such destination */
export const toSelection = async (
  store: Store,
  { state = 'dead_letter', deliveries, except, destination, since, until, ...rest }: Selected,
): Promise<DeliverySelection> => {
  await assertDestination(store, destination);
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

/** What a dry run reports, and the real run too. */
export const planned = z.object({
  matched: z.int().nullable().describe('How many are chosen; null when there are too many to count'),
  leftOut: z
    .array(z.object({ reason: z.enum(LEFT_OUT_REASONS), count: z.int() }))
    .describe('Deliveries that were named or match, and are not chosen; see docs/api.md'),
  oldest: z.string().nullable().describe('When the oldest event came in; null when that is not known'),
  until: z.string().describe('Sent with the real request, it keeps out deliveries that come in between'),
});

export const describePlan = (
  { matched, leftOut, oldest }: Counted,
  { until }: { readonly until: number },
): z.input<typeof planned> => ({
  matched: matched ?? null,
  leftOut,
  oldest,
  until: toIso(until),
});

/** For the audit record, which tells only that there is a filter, because a filter may hold a phone number. */
export const auditedSelection = ({ deliveries, except, destination, events, filter, ...rest }: Selected) => ({
  destination: destination ?? null,
  events: events ?? null,
  hasFilter: filter !== undefined,
  ...(deliveries !== undefined && { deliveries: deliveries.length }),
  ...(except !== undefined && { except: except.length }),
  ...rest,
});
