import { z } from 'zod';
import { STATUS_TYPE } from './callback.ts';
import type { Event } from './event.ts';
import { pacing } from './pacing.ts';
import { STATUS_CLASSES, type StatusClass } from './status-codes.ts';

/** The pattern of a destination id. It has no `_`, so that a delivery id can be taken apart again. */
export const DESTINATION_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

const DELIVERY_ID = /^dlv_([a-z0-9][a-z0-9-]{0,62})_([A-Za-z0-9_-]{22})$/;

/** Of event types and channels. Each event is held against all of them. */
const MOST_NAMED = 100;
const MAX_NAME_LENGTH = 200;

/** The settings of every destination; adapters add their own. */
export const destinationBase = z.object({
  id: z
    .string()
    .regex(DESTINATION_ID, 'expected lower-case letters, digits and `-`, at most 63, not starting with `-`')
    .describe('Names the destination in commands, paths and delivery ids.'),
  type: z.string().min(1).max(63).describe('The adapter that delivers to it: `webhook` or `pull`.'),
  events: z
    .array(z.string().min(1).max(MAX_NAME_LENGTH))
    .min(1)
    .max(MOST_NAMED)
    .default(() => ['*'])
    .describe('Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`.'),
  channels: z
    .array(
      z
        .string()
        .transform((channel) => channel.trim().toLowerCase())
        .pipe(z.string().min(1).max(MAX_NAME_LENGTH)),
    )
    .min(1)
    .max(MOST_NAMED)
    .exactOptional()
    .describe('Channels whose events it wants, such as `whatsapp` and `sms`, in any case; all when left out.'),
  classes: z
    .array(z.enum(STATUS_CLASSES))
    .min(1)
    .max(MOST_NAMED)
    .exactOptional()
    .describe('Classes of status whose updates it wants; all when left out. Says nothing about other events.'),
  filter: z
    .string()
    .min(1)
    .max(2_000)
    .exactOptional()
    .describe("An expression (CEL) over `event` that must be true, such as `event.data.text.contains('STOP')`."),
});

/** A destination whose consumers lease deliveries over HTTP; nothing is sent to it. */
export const pullDestination = z.strictObject({
  ...destinationBase.shape,
  type: z.literal('pull').describe('Events wait until a consumer leases them.'),
  rate: pacing.rate.describe(
    'At most so many deliveries handed out in a time, over all processes: `50/s`, `600/m`. Default: no limit.',
  ),
  ordering: pacing.ordering.describe(
    '`conversation`: of one pair of `from` and `to` one delivery is leased at a time, in the order they came; other pairs do not wait for them. Default: `none`.',
  ),
  retrySchedule: pacing.retrySchedule.describe(
    'The longest wait before a delivery that was given back comes again: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the API.',
  ),
});

export type DestinationBase = z.infer<typeof destinationBase>;

/** The settings that decide which events a destination wants. */
export interface Wish {
  readonly events: readonly string[];
  readonly channels?: readonly string[];
  readonly classes?: readonly StatusClass[];
}

/** Whether a destination wants an event, by its type, its channel and, for a status update, the class of the status. */
export const wantsEvent = (
  { events, channels, classes }: Wish,
  event: Pick<Event, 'type' | 'channel' | 'data'>,
): boolean => {
  if (!events.some((pattern) => matchesEventType(pattern, event.type))) return false;
  // `whatsapp/sms`, as in Clickatell's own samples, matches either channel.
  if (channels !== undefined) {
    const channel = event.channel?.toLowerCase() ?? '';
    const either = [channel, ...channel.split('/').map((part) => part.trim())];
    if (!channels.some((wanted) => either.includes(wanted))) return false;
  }
  if (classes === undefined || event.type !== STATUS_TYPE) return true;
  // An update that does not fit its type has no class.
  const statusClass = event.data['class'] ?? 'unknown';
  return classes.some((wanted) => wanted === statusClass);
};

/**
 * Whether an event type matches a pattern of a destination's `events`. Only `*` is special: any characters, or none.
 */
export const matchesEventType = (pattern: string, type: string): boolean => {
  if (pattern === '*') return true;
  const parts = pattern.split('*');
  const first = parts[0] as string;
  if (parts.length === 1) return type === first;
  const last = parts[parts.length - 1] as string;
  const end = type.length - last.length;
  if (end < first.length || !type.startsWith(first) || !type.endsWith(last)) return false;
  // Taking the earliest place for each middle part leaves the most room for the next, so no backtracking is needed.
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = type.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
};

/** The id of the delivery of an event to a destination; a pair always gets the same id. */
export const deliveryId = (eventId: string, destinationId: string): string =>
  `dlv_${destinationId}_${eventId.slice(4)}`;

/** Takes a delivery id apart; returns undefined when the text is not one. */
export const parseDeliveryId = (id: string): { eventId: string; destinationId: string } | undefined => {
  const match = DELIVERY_ID.exec(id);
  if (match === null) return undefined;
  return { eventId: `evt_${match[2]}`, destinationId: match[1] as string };
};
