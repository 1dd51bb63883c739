import { isUtf8 } from 'node:buffer';
import { boundName } from './bound-name.ts';
import { holdsMoreValuesThan, memberSource, nestsDeeperThan } from './element-sources.ts';
import { InvalidCallbackError, type Issue, MAX_ISSUES } from './errors.ts';
import { readText } from './fields.ts';
import { MAX_LENGTH_WITH_ENVELOPE } from './size-limits.ts';

/** The name of an array in a callback's `event` object: `moText`, `messageStatusUpdate`, or one that we do not know. */
export type EventType = string;

/** Queued apart, so that a campaign's million statuses never delay a customer's reply. */
export type Lane = 'messages' | 'statuses';

/** An authentic HTTP request from Clickatell whose body is an envelope. Its elements are still unchecked. */
export interface Callback {
  /** The body as text, without a byte order mark. This is what we commit, and what `splitCallback` takes. */
  readonly text: string;
  readonly integrationId: string | null;
  readonly eventCount: number;
  /** `statuses` when it holds status updates only. */
  readonly lane: Lane;
  /**
   * The parsed text, if it is short. A longer one is not kept: parsed, it takes several times the memory of the text.
   */
  readonly envelope?: Envelope;
}

/** The outer object of a callback. */
export interface Envelope {
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  readonly event: Readonly<Record<EventType, readonly unknown[]>>;
}

/** How deep objects and arrays may nest, the envelope included. Clickatell's deepest sample has 7 levels. */
export const MAX_DEPTH = 64;

/**
 * How many values of any kind one callback may hold. Two bytes of JSON can take thirty or more once parsed: without a
 * bound, 32 MiB of `[],[],…` would take a gigabyte, and block the process for seconds. A full-size body of real
 * statuses holds fewer values.
 */
export const MAX_VALUES = 1_000_000;

/** The event type of statuses. */
export const STATUS_TYPE = 'messageStatusUpdate';

/**
 * Parses the bytes of a request. Takes microseconds: elements are checked later, when the callback is split after the
 * acknowledgement.
 *
 * @throws {InvalidCallbackError} when the body is not UTF-8, not JSON, too deep, too large, or not an envelope
 */
export const parseCallback = (body: Uint8Array): Callback => {
  const text = decode(body);
  const envelope = readEnvelope(text);
  const { integrationId, event } = envelope;
  let eventCount = 0;
  for (const type in event) eventCount += (event[type] as readonly unknown[]).length;
  const statusCount = Object.hasOwn(event, STATUS_TYPE) ? (event[STATUS_TYPE]?.length ?? 0) : 0;
  const lane = statusCount === eventCount ? 'statuses' : 'messages';
  if (text.length > MAX_LENGTH_WITH_ENVELOPE) return { text, integrationId, eventCount, lane };
  return { text, integrationId, eventCount, lane, envelope };
};

/**
 * Parses the envelope of a callback's text.
 *
 * @throws {InvalidCallbackError} when the text is not JSON, too deep, too large, or not an envelope
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
    integrationId: boundName(
      readExactly(text, envelope, 'integrationId') ?? readExactly(text, envelope, 'integrationID'),
    ),
    integrationName: boundName(readText(envelope['integrationName'])),
    event: readEventObject(envelope),
  };
};

/** A number beyond 2^53 keeps its digits: two integrations must not become one, or none. */
const readExactly = (text: string, envelope: Record<string, unknown>, name: string): string | null => {
  const value = envelope[name];
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
  return isRounded ? (memberSource(text, name) ?? null) : readText(value);
};

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Checks first: a decoder silently turns broken bytes into U+FFFD, and one that refuses them is slower. */
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
    // Drop the parser's own message: it quotes the text, which may hold what a customer wrote.
    throw new InvalidCallbackError(`callback must be JSON, got ${text.length} characters that do not parse`);
  }
};

/** Fields in the flat bodies of Clickatell's older APIs, whose status codes have other meanings. */
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
    if (Array.isArray(elements) || issues.length === MAX_ISSUES) return;
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
 * Whether a key that the sender chose looks like a name. Any other key may hold anything, even what a customer wrote,
 * and must not appear in a log or an error.
 */
export const isName = (key: string): boolean => /^[A-Za-z]{1,64}$/.test(key);

/** As a key, `__proto__` attacks code that copies the object; inside message text it is harmless. */
const refuseProtoKeys = (text: string, parsed: unknown): void => {
  // The key is written plainly or with at least one \u00XX escape; only such texts need the walk below.
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

/** Names the sort of a JSON value, for messages that must not quote the value. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'number out of range';
  return typeof value;
};
