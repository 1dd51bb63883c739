import { isUtf8 } from 'node:buffer';
import { holdsMoreValuesThan, nestsDeeperThan } from './element-sources.ts';
import { InvalidCallbackError, type Issue } from './errors.ts';
import { readText } from './fields.ts';

/** The name of an array in a callback's `event` object: `moText`, `messageStatusUpdate`, or one we never heard of. */
export type EventType = string;

/** Queued apart, so that a campaign's million statuses never delay a customer's reply. */
export type Lane = 'messages' | 'statuses';

/** One authentic HTTP request of Clickatell's, found to be an envelope. Its elements are not looked at yet. */
export interface Callback {
  /** The body as text, without a byte order mark: what is committed, and what `splitCallback` takes. */
  readonly text: string;
  readonly integrationId: string | null;
  readonly eventCount: number;
  /** `statuses` when it carries status updates only. */
  readonly lane: Lane;
  /** What was parsed of a short text. Of a longer one it is not kept: it takes several times the memory of the text. */
  readonly envelope?: Envelope;
}

/** The outer object of a callback. */
export interface Envelope {
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  readonly event: Readonly<Record<EventType, readonly unknown[]>>;
}

/** Objects and arrays inside one another, the envelope included. Clickatell's deepest sample has 7. */
export const MAX_DEPTH = 64;

/**
 * Values of any kind in one callback. A value of two bytes takes thirty and more when parsed: without a bound, 32 MiB of
 * `[],[],…` are a gigabyte and seconds in which nothing else is answered. A full-size body of real statuses holds fewer.
 */
export const MAX_VALUES = 1_000_000;

/** In characters: a callback that is no longer carries its parsed envelope. */
const SHORT = 16 * 1024;

/** The event type of statuses. */
export const STATUS_TYPE = 'messageStatusUpdate';

/**
 * Bytes of a request become a callback, or are refused. Costs microseconds: elements are checked when the callback is
 * split, behind the acknowledgement.
 *
 * @throws {InvalidCallbackError} for what is not UTF-8, not JSON, too deep or too much, or no envelope
 */
export const parseCallback = (body: Uint8Array): Callback => {
  const text = decode(body);
  const envelope = readEnvelope(text);
  const { integrationId, event } = envelope;
  let eventCount = 0;
  for (const type in event) eventCount += (event[type] as readonly unknown[]).length;
  const statusCount = Object.hasOwn(event, STATUS_TYPE) ? (event[STATUS_TYPE]?.length ?? 0) : 0;
  const lane = statusCount === eventCount ? 'statuses' : 'messages';
  if (text.length > SHORT) return { text, integrationId, eventCount, lane };
  return { text, integrationId, eventCount, lane, envelope };
};

/**
 * The envelope of a callback's text.
 *
 * @throws {InvalidCallbackError} for what is not JSON, too deep or too much, or no envelope
 */
export const readEnvelope = (text: string): Envelope => {
  if (nestsDeeperThan(MAX_DEPTH, text)) {
    throw new InvalidCallbackError(`callback nests objects or arrays deeper than ${MAX_DEPTH} levels`);
  }
  if (holdsMoreValuesThan(MAX_VALUES, text)) {
    throw new InvalidCallbackError(`callback holds more than ${MAX_VALUES} values`);
  }
  const envelope = parse(text);
  refuseProtoKeys(text, envelope);
  if (!isObject(envelope)) {
    throw new InvalidCallbackError(`callback must be a JSON object, got ${kindOf(envelope)}`, {
      issues: [{ path: '', message: `expected object, got ${kindOf(envelope)}` }],
    });
  }
  return {
    integrationId: readText(envelope['integrationId']) ?? readText(envelope['integrationID']),
    integrationName: readText(envelope['integrationName']),
    event: readEventObject(envelope),
  };
};

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Checked first: a decoder turns broken bytes into U+FFFD in silence, and one that refuses them takes longer. */
const decode = (body: Uint8Array): string => {
  if (!isUtf8(body)) {
    throw new InvalidCallbackError(`callback must be UTF-8, got ${body.byteLength} bytes that are not`);
  }
  const start = BYTE_ORDER_MARK.every((byte, at) => body[at] === byte) ? BYTE_ORDER_MARK.length : 0;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8', start);
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold what a customer wrote: it goes nowhere.
    throw new InvalidCallbackError(`callback must be JSON, got ${text.length} characters that do not parse`);
  }
};

/** Fields of the flat bodies of Clickatell's older APIs, whose status codes mean other things. */
const OLDER_API_FIELDS = ['apiKey', 'fromNumber', 'messageId', 'replyMessageId', 'statusCode', 'text'];

const readEventObject = (envelope: Record<string, unknown>): Record<EventType, unknown[]> => {
  const event = Object.hasOwn(envelope, 'event') ? envelope['event'] : undefined;
  if (event === undefined && OLDER_API_FIELDS.some((field) => Object.hasOwn(envelope, field))) {
    throw new InvalidCallbackError(
      'callback has no `event`: a flat body is of an older Clickatell API, whose status codes mean other things; ' +
        'only One API callbacks are understood, so point that integration elsewhere',
      { issues: [{ path: 'event', message: 'expected object, got undefined' }] },
    );
  }
  if (!isObject(event)) {
    throw new InvalidCallbackError(`event must be an object of arrays, got ${kindOf(event)}`, {
      issues: [{ path: 'event', message: `expected object, got ${kindOf(event)}` }],
    });
  }
  const issues: Issue[] = [];
  Object.entries(event).forEach(([type, elements], index) => {
    if (Array.isArray(elements)) return;
    issues.push({
      path: `event.${isName(type) ? type : `<key ${index + 1}>`}`,
      message: `expected array, got ${kindOf(elements)}`,
    });
  });
  if (issues[0] !== undefined) {
    const { path, message } = issues[0];
    throw new InvalidCallbackError(`event must be an object of arrays: ${path} ${message}`, { issues });
  }
  return event as Record<EventType, unknown[]>;
};

/**
 * Whether a key that the sender chose looks like a name. Any other may hold anything, also what a customer wrote, and is
 * repeated in no log and no error.
 */
export const isName = (key: string): boolean => /^[A-Za-z]{1,64}$/.test(key);

/** As a key, `__proto__` is an attack on whoever copies the object; as message text it is a customer's business. */
const refuseProtoKeys = (text: string, parsed: unknown): void => {
  // Written plainly or with at least one \u00XX escape; the walk below is for those texts only.
  if (!text.includes('__proto__') && !text.includes('\\u00')) return;
  const pending: unknown[] = [parsed];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) {
      throw new InvalidCallbackError('callback must not hold a key named `__proto__`');
    }
    for (const inner of Object.values(value)) pending.push(inner);
  }
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What sort of JSON value it is, for messages that must not repeat the value. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'number out of range';
  return typeof value;
};
