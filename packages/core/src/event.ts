import { z } from 'zod';
import { boundName, isTooLong, TOO_LONG } from './bound-name.ts';
import { type EventType, isObject, kindOf, readEnvelope } from './callback.ts';
import { type DataOf, isKnownEventType, type KnownEventType, knownTypes, type WireOf } from './data.ts';
import { elementSources } from './element-sources.ts';
import { InvalidCallbackError, type Issue, MAX_ISSUES } from './errors.ts';
import { EVENT_ID, eventId } from './event-id.ts';
import { readChannel, readText, readTimestamp } from './fields.ts';

/** One element of one array of a callback. See docs/concepts.md. */
export interface Event {
  /**
   * `evt_` + 22 characters. A duplicate of the event always has the same id, so it is the idempotency key everywhere.
   */
  readonly id: string;
  /** The array's own name in the callback, so that it can be found in Clickatell's documentation. */
  readonly type: EventType;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  /** Trimmed free text: Clickatell adds channels. */
  readonly channel: string | null;
  /** Free text; so far digits without `+`. Null on status updates. */
  readonly from: string | null;
  readonly to: string | null;
  /** The id of this message; on a status update, of the message it is about (`apiMessageId` of the send response). */
  readonly messageId: string | null;
  /** The id of the message that the user replied to. */
  readonly relatedMessageId: string | null;
  /** Your own id for the message whose status this is. */
  readonly clientMessageId: string | null;
  /** The element's own `timestamp`, ISO 8601 in UTC; null when missing or outside the years 1970 to 9999. */
  readonly occurredAt: string | null;
  /** When our receiver accepted the callback, ISO 8601 in UTC. A redelivery keeps the time of the first. */
  readonly receivedAt: string;
  /** Present, and false, when the element does not fit its known type; `issues` says why and `data` is empty. */
  readonly valid?: false;
  /** Each misfit of the element, and each name of the callback that was too long to keep; no received value. */
  readonly issues?: readonly Issue[];
  /** Typed by `type`; empty for a type that Clickrelay does not know. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The element as parsed. */
  readonly raw: unknown;
}

/** An event of a documented type that fits it: `switch (event.type)` types `event.data` and `event.raw`. */
export type KnownEvent = { [Type in KnownEventType]: EventOf<Type> }[KnownEventType];

/** An event of one documented type. */
export interface EventOf<Type extends KnownEventType>
  extends Omit<Event, 'type' | 'data' | 'raw' | 'valid' | 'issues'> {
  readonly type: Type;
  readonly data: Readonly<DataOf<Type>>;
  readonly raw: Readonly<WireOf<Type>>;
}

/** Whether the event has a documented type and fits it, so that its `data` can be relied on. */
export const isKnownEvent = (event: Event): event is KnownEvent =>
  event.valid !== false && isKnownEventType(event.type);

/**
 * An event with its element's own JSON text, cut from the callback. The log keeps the text, and the formats send it. A
 * split yields events in this form before anything is logged.
 */
export interface LoggedEvent {
  readonly event: Event;
  readonly source: string;
}

/** The parts of an event that a log must keep; everything else is derived from them. */
export interface StoredEvent {
  /** Its id. Without it the id is derived again, which for inline media is as much work as all the rest. */
  readonly id?: string;
  readonly type: EventType;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  readonly receivedAt: string;
  /** The element's own JSON text. */
  readonly source: string;
}

/**
 * Splits a callback into its events, in order.
 *
 * @param text of a callback that `parseCallback` has accepted
 * @param receivedAt ISO 8601 in UTC
 * @throws {InvalidCallbackError} only for a text that `parseCallback` would refuse
 */
export const splitCallback = (text: string, receivedAt: string): LoggedEvent[] => [...eachEvent(text, receivedAt)];

/**
 * Yields the events one by one, so that the caller can do other work in between: a callback may hold hundreds of
 * thousands.
 */
export function* eachEvent(text: string, receivedAt: string): Generator<LoggedEvent, void> {
  const { integrationId, integrationName, event } = readEnvelope(text);
  const sources = elementSources(text);
  for (const [name, elements] of Object.entries(event)) {
    const type = boundName(name);
    const ofType = sources.get(name) as string[];
    for (let index = 0; index < elements.length; index++) {
      const source = ofType[index] as string;
      yield describe({ type, integrationId, integrationName, receivedAt, source }, elements[index]);
    }
  }
}

/**
 * Restores a stored event, as `splitCallback` would return it with today's schemas.
 *
 * @throws {InvalidCallbackError} when `source` is not JSON, so did not come from `splitCallback`
 */
export const restoreEvent = (stored: StoredEvent): LoggedEvent => {
  let raw: unknown;
  try {
    raw = JSON.parse(stored.source);
  } catch {
    throw new InvalidCallbackError(
      `stored event must be JSON, got ${stored.source.length} characters that do not parse`,
    );
  }
  return describe(stored, raw);
};

const describe = (stored: StoredEvent, raw: unknown): LoggedEvent => {
  const { type, integrationId, integrationName, receivedAt, source } = stored;
  const fields = isObject(raw) ? raw : {};
  const event: Event = {
    id: stored.id ?? eventId(integrationId, type, raw, source),
    type,
    integrationId,
    integrationName,
    channel: readChannel(fields['channel']),
    from: readText(fields['from']),
    to: readText(fields['to']),
    messageId: readText(fields['messageId']),
    relatedMessageId: readText(fields['relatedMessageId']),
    clientMessageId: readText(fields['clientMessageId']),
    occurredAt: readTimestamp(fields['timestamp']),
    receivedAt,
    ...withLongNames(stored, readData(type, raw)),
    raw,
  };
  return { event, source };
};

type Checked = Pick<Event, 'valid' | 'issues' | 'data'>;

/** Tells which names of the callback were cut. They do not make the element a misfit. */
const withLongNames = (names: StoredEvent, checked: Checked): Checked => {
  const cut = NAMES.filter((name) => isTooLong(names[name])).map((name) => ({ path: name, message: TOO_LONG }));
  return cut.length === 0 ? checked : { ...checked, issues: [...cut, ...(checked.issues ?? [])] };
};

const NAMES = ['integrationId', 'integrationName', 'type'] as const;

const readData = (type: EventType, raw: unknown): Checked => {
  if (!isKnownEventType(type)) return { data: {} };
  const known = knownTypes[type];
  const checked = known.wire.safeParse(raw);
  if (checked.success) {
    // Each type's `read` takes what its own `wire` gives; the compiler cannot follow that through the table.
    return { data: (known.read as (element: unknown) => Event['data'])(checked.data) };
  }
  const issues = checked.error.issues.slice(0, MAX_ISSUES).map((issue) => toIssue(issue, raw));
  return { valid: false, issues, data: {} };
};

/** Words an issue of zod's as the rule and the type it was given, never with a received value. */
const toIssue = (issue: z.core.$ZodIssue, raw: unknown): Issue => {
  let given = raw;
  for (const key of issue.path) given = (given as Record<PropertyKey, unknown> | null | undefined)?.[key];
  // Unions carry our own message. Zod's for types quotes nothing either, but is worded differently.
  const rule = issue.code === 'invalid_type' ? `expected ${issue.expected}` : issue.message;
  return { path: issue.path.join('.'), message: `${rule}, got ${kindOf(given)}` };
};

const textOrNull = z.string().nullable();

/** The schema of an event as it is sent and stored. */
export const eventSchema = z.object({
  id: z
    .string()
    .regex(EVENT_ID)
    .describe('A duplicate of the event always has the same id: use it as idempotency key.'),
  type: z.string().describe("The array's own name in Clickatell's callback: `moText`, `messageStatusUpdate`."),
  integrationId: textOrNull,
  integrationName: textOrNull,
  channel: textOrNull.describe('Trimmed; free text.'),
  from: textOrNull,
  to: textOrNull,
  messageId: textOrNull,
  relatedMessageId: textOrNull.describe('The id of the message that the user replied to.'),
  clientMessageId: textOrNull.describe('Your own id for the message whose status this is.'),
  occurredAt: textOrNull.describe("The element's own timestamp, ISO 8601 in UTC."),
  receivedAt: z.string().describe('When the receiver accepted the callback, ISO 8601 in UTC.'),
  valid: z.literal(false).exactOptional().describe('Present when the element does not fit its known type.'),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .exactOptional()
    .describe('Each misfit, and each name of the callback that was too long to keep; without received values.'),
  data: z.record(z.string(), z.unknown()).describe('Typed by `type`; empty for unknown types and misfits.'),
  raw: z.unknown().describe("Clickatell's own element, as received."),
});
