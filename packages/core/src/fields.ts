import { z } from 'zod';

// Schemas of the fields that several elements share. Clickatell documents no required fields and no nullability, so
// everything may be absent or null, and only a value of quite another type is an issue.

/** Free text: no field of Clickatell's is an enum, a date or a mail address that its own samples would not break. */
export const text = z.string().nullish();

/** For what Clickatell sends as a number, or may. */
const textOrNumber = z.union([z.string(), z.number()], { error: 'expected string or number' });

/** A count that may come as text. */
export const count = textOrNumber.nullish();

/** Ids and phone numbers. Strings in every sample; numbers are let in because digits invite them. */
export const identifier = textOrNumber.nullish();

/** Epoch milliseconds; some Clickatell APIs send numbers as strings. */
export const timestamp = textOrNumber
  .nullish()
  .describe('When Clickatell received it, epoch milliseconds; its precision varies from channel to channel.');

export const channel = text.describe('`sms`, `whatsapp`; free text, the samples hold trailing spaces.');

const NO_DECIMAL = { error: 'expected number or decimal text' };

/** Inbound coordinates are strings; a number is let in. */
export const coordinate = z
  .union(
    [z.number(), z.string().refine((value) => value.trim() === '' || readNumber(value) !== null, NO_DECIMAL)],
    NO_DECIMAL,
  )
  .nullish();

/** What every `mo*` element has. */
export const messageFields = {
  channel,
  messageId: identifier.describe('Of this message.'),
  relatedMessageId: identifier.describe('Of the message that the user replied to.'),
  relatedClientMessageId: identifier.describe('Your own id of the message that the user replied to.'),
  from: identifier.describe('Digits without `+`; Clickatell prepares anonymous user ids, so keep it free text.'),
  to: identifier,
  timestamp,
  whatsapp: z.looseObject({ profileName: text }).nullish().describe('Absent on SMS.'),
  encryptionKey: text.describe(
    'Present when content and media are encrypted for the client: they are ciphertext then.',
  ),
};

/** Text of an id or phone number; null when there is none, or when a number is too large to have survived parsing. */
export const readText = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? String(value) : null;
};

/** Trimmed, because Clickatell's samples hold "whatsapp "; null when nothing is left. */
export const readChannel = (value: unknown): string | null => (typeof value === 'string' ? value.trim() || null : null);

const DECIMAL = /^\s*[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?\s*$/;

/** A finite number from a number or its decimal text, with point or comma; null otherwise. */
export const readNumber = (value: unknown): number | null => {
  if (typeof value === 'string') return DECIMAL.test(value) ? finite(Number(value.replace(',', '.'))) : null;
  return typeof value === 'number' ? finite(value) : null;
};

/** The last millisecond that ISO 8601 writes with four digits of year. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** ISO 8601 in UTC from epoch milliseconds, as number or text; null for what no message can have been sent at. */
export const readTimestamp = (value: unknown): string | null => {
  const ms = readNumber(value);
  return ms === null || ms < 0 || ms > LAST_MS ? null : new Date(ms).toISOString();
};

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
