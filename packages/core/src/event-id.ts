import { createHash, type Hash, hash } from 'node:crypto';
import { isObject, MAX_DEPTH, STATUS_TYPE } from './callback.ts';
import { nestsDeeperThan } from './element-sources.ts';
import { readText } from './fields.ts';
import { HASHED_AT_ONCE_LENGTH } from './size-limits.ts';

/**
 * Conversations are spread over so many shards, each one Redis hash tag. Stored data depends on it: never change it.
 */
export const SHARDS = 64;

/** The pattern of an event id: `evt_`, the character of its shard, 126 bits of SHA-256. */
export const EVENT_ID = /^evt_[A-Za-z0-9_-]{22}$/;

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Derives the id of an event: `evt_`, one character for the shard of its conversation, 21 of a hash over integrationId,
 * type and element. A duplicate gets the same id whatever the order of keys, the whitespace, the integration's name or
 * the signature of its download links; two different events never share an id.
 *
 * Derived from the wire only, never from parsed data, so that ids outlive schema changes.
 *
 * @param raw the element as parsed
 * @param source the element's own JSON text, from `elementSources`. With it, elements that differ only in digits that
 * parsing loses (integers beyond 2^53) get different ids; without it they share one.
 */
export const eventId = (integrationId: string | null, type: string, raw: unknown, source?: string): string => {
  const exact = source !== undefined && mayLoseDigits(source) ? parseExactly(source) : raw;
  const identity = new Identity();
  identity.add(JSON.stringify([integrationId, type]));
  addCanonicalJson(identity, exact, source !== undefined && needsNoEscapes(source));
  const digest = identity.digest();
  const conversation = conversationOf(integrationId, type, raw);
  const shard = conversation === null ? digest[21] : BASE64URL[shardOfText(conversation)];
  return `evt_${shard}${digest.slice(0, 21)}`;
};

/** The shard of an event id, 0 to 63. Any other text gets a shard too, where nothing will be found. */
export const shardOf = (eventId: string): number => BASE64URL.indexOf(eventId.charAt(4)) & (SHARDS - 1);

/**
 * Events of one conversation share a shard: replies by their two parties, in either direction, statuses by their
 * message. Null when the element names neither; then the event's own hash decides.
 */
const conversationOf = (integrationId: string | null, type: string, raw: unknown): string | null => {
  if (!isObject(raw)) return null;
  if (type === STATUS_TYPE) return readText(raw['messageId']);
  if (!type.startsWith('mo')) return null;
  const from = readText(raw['from']);
  const to = readText(raw['to']);
  if (from === null && to === null) return null;
  const [a, b] = (from ?? '') < (to ?? '') ? [from, to] : [to, from];
  return `${integrationId ?? ''}\n${a ?? ''}\n${b ?? ''}`;
};

/** FNV-1a, folded: it only has to spread evenly. */
const shardOfText = (text: string): number => {
  let mixed = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  mixed ^= mixed >>> 16;
  return (mixed ^ (mixed >>> 8)) & (SHARDS - 1);
};

/** Collects the text that an id is made from. */
class Identity {
  #text = '';
  #hash: Hash | undefined;

  /** @param text well-formed by itself: no half of a surrogate pair at either end */
  add(text: string): void {
    this.#text += text;
    if (this.#text.length > HASHED_AT_ONCE_LENGTH) this.#flush();
  }

  addLong(text: string): void {
    this.#flush();
    this.#hash?.update(text);
  }

  digest(): string {
    if (this.#hash === undefined) return hash('sha256', this.#text, 'base64url');
    return this.#hash.update(this.#text).digest('base64url');
  }

  #flush(): void {
    this.#hash ??= createHash('sha256');
    this.#hash.update(this.#text);
    this.#text = '';
  }
}

/**
 * Whether no string in this JSON text needs an escape. Checked for long texts only: escaping megabytes costs several
 * times as much as hashing them.
 */
const needsNoEscapes = (source: string): boolean =>
  source.length > HASHED_AT_ONCE_LENGTH && !source.includes('\\') && source.isWellFormed();

/**
 * Writes a value as JSON with sorted keys, leaving out what a resend may change. Iterative, so that no depth overflows
 * the stack.
 *
 * @param isPlain no string in it needs an escape
 */
const addCanonicalJson = (to: Identity, root: unknown, isPlain: boolean): void => {
  const open: Frame[] = [];
  let value = root;
  for (;;) {
    if (typeof value === 'object' && value !== null && !(value instanceof Opaque)) {
      const isArray = Array.isArray(value);
      const keys = isArray ? null : Object.keys(value).sort();
      to.add(isArray ? '[' : '{');
      open.push({
        container: value as Container,
        keys,
        size: keys ? keys.length : (value as unknown[]).length,
        next: 0,
      });
    } else if (isPlain && typeof value === 'string' && value.length > HASHED_AT_ONCE_LENGTH) {
      to.add('"');
      to.addLong(value);
      to.add('"');
    } else {
      to.add(leaf(value));
    }
    for (;;) {
      const frame = open[open.length - 1];
      if (frame === undefined) return;
      if (frame.next === frame.size) {
        to.add(frame.keys ? '}' : ']');
        open.pop();
        continue;
      }
      const position = frame.next++;
      if (position > 0) to.add(',');
      const key = frame.keys ? (frame.keys[position] as string) : position;
      value = frame.container[key];
      if (frame.keys) to.add(`${JSON.stringify(key)}:`);
      if (key === 'downloadUrl' && typeof value === 'string') value = stableUrl(frame.container, value);
      break;
    }
  }
};

type Container = Record<string | number, unknown>;

interface Frame {
  readonly container: Container;
  /** Sorted; null for an array. */
  readonly keys: readonly string[] | null;
  readonly size: number;
  next: number;
}

/** A part of the identity that is not a JSON value, and must not be mistaken for one. */
class Opaque {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const leaf = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Opaque) return `#${value.text}`;
  return Object.is(value, -0) ? '-0' : String(value);
};

/** Parameters that sign a link, as Amazon, Google and most others call them. */
const SIGNING = /^(x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|key-pair-id|policy|signature|expires)$/i;
/** Those of Azure. They are short, so they count only beside the first of them. */
const SIGNING_BESIDE_SIG = /^(sig|s[vstper]|srt|spr|sk(oid|tid|[tesv]))$/;

/**
 * The part of a link that survives when Clickatell signs it again: nothing beside a hash, else the file id or the path,
 * with every parameter that is no signature. A parameter that nobody knows counts: an event that comes twice is better
 * than one that is taken for another and dropped.
 */
const stableUrl = (file: Container, downloadUrl: string): Opaque => {
  if (typeof file['sha256Hash'] === 'string' && file['sha256Hash'] !== '') return new Opaque('hashed');
  const url = URL.parse(downloadUrl);
  if (url === null) return new Opaque(`text${JSON.stringify(downloadUrl)}`);
  const fileId = url.searchParams.get('fileId');
  const hasSig = url.searchParams.has('sig');
  const parameters = [...url.searchParams].filter(
    ([name, value]) =>
      !SIGNING.test(name) &&
      !(hasSig && SIGNING_BESIDE_SIG.test(name)) &&
      !(name === 'fileId' && value === fileId && fileId !== ''),
  );
  const rest = parameters.length === 0 ? '' : JSON.stringify(parameters.sort());
  if (fileId) return new Opaque(`file${JSON.stringify(fileId)}${rest}`);
  return new Opaque(`path${JSON.stringify(url.origin + url.pathname)}${rest}`);
};

const LONG_OR_EXPONENT = /(?:^|[:,[\s])-?(?:[\d.]{16}|[\d.]+[eE])/;

/**
 * Whether number literals may not survive parsing: sixteen digits or more, or an exponent. Cheap, and errs only on the
 * safe side. Deeper texts than any callback are left out, so that no caller gets a stack overflow.
 */
const mayLoseDigits = (source: string): boolean => LONG_OR_EXPONENT.test(source) && !nestsDeeperThan(MAX_DEPTH, source);

/** Parses JSON, keeping numbers apart that a double cannot tell apart. */
const parseExactly = (source: string): unknown =>
  JSON.parse(source, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    const exact = decimal(context.source);
    return exact === decimal(leaf(value)) ? value : new Opaque(exact);
  });

/** Spells each decimal value in one way: `-12.50e1` is `-125e0`. */
const decimal = (literal: string): string => {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(literal);
  if (match === null) return literal;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const digits = whole + fraction;
  let first = 0;
  while (digits[first] === '0') first++;
  if (first === digits.length) return `${sign}0`;
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  const exponent = Number(power) - fraction.length + (digits.length - end);
  // No arithmetic beyond 2^53: such a literal equals only itself.
  return Number.isSafeInteger(exponent) ? `${sign}${digits.slice(first, end)}e${exponent}` : literal;
};
