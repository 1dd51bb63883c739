import { z } from 'zod';
import { type EventType, isObject, kindOf, readEnvelope } from './callback.ts';
import { type DataOf, isKnownEventType, type KnownEventType, knownTypes, type WireOf } from './data.ts';
import { elementSources } from './element-sources.ts';
import { InvalidCallbackError, type Issue } from './errors.ts';
import { EVENT_ID, eventId } from './event-id.ts';
import { readChannel, readText, readTimestamp } from './fields.ts';

/** One element of one array of a callback. See docs/concepts.md. */
export interface Event {
  /** `evt_` + 22 characters: the same fact has the same id for ever. The idempotency key everywhere. */
  readonly id: string;
  /** The array's own name in the callback, so that it can be found in Clickatell's documentation. */
  readonly type: EventType;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  /** Trimmed; free text, Clickatell adds channels. */
  readonly channel: string | null;
  /** Digits without `+` so far; free text. Null on status updates. */
  readonly from: string | null;
  readonly to: string | null;
  /** Of this message; on a status update, of the message whose status it is (`apiMessageId` of the send response). */
  readonly messageId: string | null;
  /** Of the message that a user replied to. */
  readonly relatedMessageId: string | null;
  /** Your own id of the message whose status this is. */
  readonly clientMessageId: string | null;
  /** The element's own `timestamp`, ISO 8601 in UTC; null when it has none or one outside the years 1970 to 9999. */
  readonly occurredAt: string | null;
  /** When our receiver took the callback, ISO 8601 in UTC. A redelivery keeps the time of the first. */
  readonly receivedAt: string;
  /** Present, and false, when the element does not fit its known type; `issues` says why and `data` is empty. */
  readonly valid?: false;
  /** What does not fit, without any received value. */
  readonly issues?: readonly Issue[];
  /** Typed by `type`; empty for a type that Clickrelay does not know. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The element as parsed from the wire. */
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

/** Whether the event is of a documented type and fits it, so that its `data` can be relied on. */
export const isKnownEvent = (event: Event): event is KnownEvent =>
  event.valid !== false && isKnownEventType(event.type);

/** An event together with its element's own JSON text, cut from the callback: what the log keeps and the formats send. */
export interface LoggedEvent {
  readonly event: Event;
  readonly source: string;
}

/** What a log must keep of an event; everything else is derived from it again. */
export interface StoredEvent {
  /** Its id, which is derived again without it: for inline media as much work as everything else. */
  readonly id?: string;
  readonly type: EventType;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  readonly receivedAt: string;
  /** The element's own JSON text. */
  readonly source: string;
}

/**
 * The events of a callback, in its order.
 *
 * @param text of a callback that `parseCallback` has accepted
 * @param receivedAt ISO 8601 in UTC
 * @throws {InvalidCallbackError} for a text that `parseCallback` would refuse, and no other
 */
export const splitCallback = (text: string, receivedAt: string): LoggedEvent[] => [...eachEvent(text, receivedAt)];

/** The same one by one, for whoever has other things to do in between: a callback may hold hundreds of thousands. */
export function* eachEvent(text: string, receivedAt: string): Generator<LoggedEvent, void> {
  const { integrationId, integrationName, event } = readEnvelope(text);
  const sources = elementSources(text);
  for (const [type, elements] of Object.entries(event)) {
    const ofType = sources.get(type) as string[];
    for (let index = 0; index < elements.length; index++) {
      const source = ofType[index] as string;
      yield describe({ type, integrationId, integrationName, receivedAt, source }, elements[index]);
    }
  }
}

/**
 * The event that was stored, the same as `splitCallback` gave, by the schemas of today.
 *
 * @throws {InvalidCallbackError} when `source` is no JSON: it did not come from `splitCallback`
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
    ...readData(type, raw),
    raw,
  };
  return { event, source };
};

const readData = (type: EventType, raw: unknown): Pick<Event, 'valid' | 'issues' | 'data'> => {
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

/** The first ones tell enough: an array of a million misfits must not make an event of a million issues. */
const MAX_ISSUES = 20;

/** Zod's issue in our words: the rule and the type that was given, never a received value. */
const toIssue = (issue: z.core.$ZodIssue, raw: unknown): Issue => {
  let given = raw;
  for (const key of issue.path) given = (given as Record<PropertyKey, unknown> | null | undefined)?.[key];
  // Unions carry a message of ours; zod's own for types repeats nothing either, but is worded otherwise.
  const rule = issue.code === 'invalid_type' ? `expected ${issue.expected}` : issue.message;
  return { path: issue.path.join('.'), message: `${rule}, got ${kindOf(given)}` };
};

const textOrNull = z.string().nullable();

/** The schema of an event as it is sent and stored. */
export const eventSchema = z.object({
  id: z.string().regex(EVENT_ID).describe('The same fact has the same id for ever: use it as idempotency key.'),
  type: z.string().describe("The array's own name in Clickatell's callback: `moText`, `messageStatusUpdate`."),
  integrationId: textOrNull,
  integrationName: textOrNull,
  channel: textOrNull.describe('Trimmed; free text.'),
  from: textOrNull,
  to: textOrNull,
  messageId: textOrNull,
  relatedMessageId: textOrNull.describe('Of the message that a user replied to.'),
  clientMessageId: textOrNull.describe('Your own id of the message whose status this is.'),
  occurredAt: textOrNull.describe("The element's own timestamp, ISO 8601 in UTC."),
  receivedAt: z.string().describe('When the receiver took the callback, ISO 8601 in UTC.'),
  valid: z.literal(false).exactOptional().describe('Present when the element does not fit its known type.'),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .exactOptional()
    .describe('What does not fit, without received values.'),
  data: z.record(z.string(), z.unknown()).describe('Typed by `type`; empty for unknown types and misfits.'),
  raw: z.unknown().describe("Clickatell's own element, as it came."),
});
