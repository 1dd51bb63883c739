import type { LoggedEvent } from '@clickrelay/core';
import { openRoute } from '@clickrelay/routing';
import type { DeadLetterKind } from '../jobs/outcome.ts';

/** Which deliveries a replay of many sends again, or a removal gives up: the named ones, or all that match. */
export interface DeliverySelection {
  /** Dead letters, or what was delivered already. */
  readonly state: 'dead_letter' | 'delivered';
  /** Just these. Of the fields below only `until` may go with it. */
  readonly deliveries?: readonly string[];
  /** All that match but these. */
  readonly except?: readonly string[];
  readonly destinationId?: string;
  /** Of dead letters. */
  readonly kind?: DeadLetterKind;
  /** Patterns of event types; all when left out. */
  readonly events?: readonly string[];
  /** Dead letters that failed, or events that came, at or after this time, in ms since 1970. */
  readonly since?: number;
  /** Before this time. At most the time at which it was asked. */
  readonly until?: number;
  /** An expression over `event` that must be true. */
  readonly filter?: string;
}

/** Why a delivery that was named, or that matches, is not chosen. */
export const LEFT_OUT_REASONS = [
  'excepted',
  'already_pending',
  'delivered',
  'dead_letter',
  'failed_since',
  'removed',
  'event_gone',
  'destination_gone',
  'unknown',
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

/** Whether the selection asks for something that only the event tells. */
export const asksForEvent = ({ events, filter }: DeliverySelection): boolean =>
  events !== undefined || filter !== undefined;

/** @throws {InvalidFilterError} */
export const wantsOf = ({ events = ['*'], filter }: DeliverySelection): ((logged: LoggedEvent) => boolean) => {
  const route = openRoute({ events, ...(filter !== undefined && { filter }) });
  return ({ event }) => route.wants(event);
};
