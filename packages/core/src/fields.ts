import { z } from 'zod';
import { LAST_MS, toIso } from './iso-time.ts';

// Schemas of the fields that several elements share. Clickatell documents neither required fields nor nullability, so
// everything may be absent or null, and only a value of an entirely different type is an issue.

/** Free text. Clickatell's own samples would break any field declared as an enum, a date or a mail address. */
export const text = z.string().nullish();

/** For values that Clickatell sends as numbers, or may. */
const textOrNumber = z.union([z.string(), z.number()], { error: 'expected string or number' });

/** A count, which may arrive as text. */
export const count = textOrNumber.nullish();

/** Ids and phone numbers. Strings in every sample; we accept numbers too, as some sender may write digits so. */
export const identifier = textOrNumber.nullish();

/** Epoch milliseconds; some Clickatell APIs send numbers as strings. */
export const timestamp = textOrNumber
  .nullish()
  .describe('When Clickatell received it, epoch milliseconds; the precision varies by channel.');

export const channel = text.describe('`sms`, `whatsapp`; free text, the samples hold trailing spaces.');

const NO_DECIMAL = { error: 'expected number or decimal text' };

/** Inbound coordinates are strings; a number is accepted too. */
export const coordinate = z
  .union(
    [z.number(), z.string().refine((value) => value.trim() === '' || readNumber(value) !== null, NO_DECIMAL)],
    NO_DECIMAL,
  )
  .nullish();

/** The fields of every `mo*` element. */
export const messageFields = {
  channel,
  messageId: identifier.describe('The id of this message.'),
  relatedMessageId: identifier.describe('The id of the message that the user replied to.'),
  relatedClientMessageId: identifier.describe('Your own id for the message that the user replied to.'),
  from: identifier.describe('Digits without `+`; free text, as Clickatell plans anonymous user ids.'),
  to: identifier,
  timestamp,
  whatsapp: z.looseObject({ profileName: text }).nullish().describe('Absent on SMS.'),
  encryptionKey: text.describe('Present when content and media are encrypted for the client, so are ciphertext.'),
};

/** Reads an id or phone number as text; null when there is none, or a number too large to have survived parsing. */
export const readText = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? String(value) : null;
};

/** Trims the channel, because Clickatell's samples hold "whatsapp "; null when nothing is left. */
export const readChannel = (value: unknown): string | null => (typeof value === 'string' ? value.trim() || null : null);

const DECIMAL = /^\s*[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?\s*$/;

/** Reads a finite number from a number or its decimal text, with point or comma; null otherwise. */
export const readNumber = (value: unknown): number | null => {
  if (typeof value === 'string') return DECIMAL.test(value) ? finite(Number(value.replace(',', '.'))) : null;
  return typeof value === 'number' ? finite(value) : null;
};

/** Reads epoch milliseconds, number or text, as ISO 8601 in UTC; null for a time when no message can have been sent. */
export const readTimestamp = (value: unknown): string | null => {
  const ms = readNumber(value);
  return ms === null || ms < 0 || ms > LAST_MS ? null : toIso(ms);
};

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
