import { STATUS_TYPE } from '@clickrelay/core';
import type { AnswerOf } from './operation.ts';
import type { attempt, deadLetter, delivery, event, listedDelivery } from './schemas.ts';

/*
 * Hides personal data from callers who may not see it or did not ask for it. Every field that is not listed here as
 * harmless is hidden, including fields that Clickatell adds tomorrow. Null and empty values stay: absence is no secret.
 */

export const HIDDEN = '(hidden)';

const hide = (value: unknown): unknown => (value === null || value === undefined ? null : HIDDEN);

/** Enough digits to tell two customers apart, and too few to call one. */
const maskParty = (party: string | null): string | null => {
  if (party === null) return null;
  return party.length < 6 ? '…' : `…${party.slice(-2)}`;
};

/** For fields in which a sender mostly writes one word: a name passes, a number or a sentence does not. */
const maskWord = (text: string): string => (/^(?!.*\d{4})[\w./-]{1,64}$/.test(text) ? text : HIDDEN);
export const maskWordOrNull = (text: string | null): string | null => (text === null ? null : maskWord(text));

type Event = AnswerOf<typeof event>;
type Delivery = AnswerOf<typeof delivery>;
type Attempt = AnswerOf<typeof attempt>;
type DeadLetter = AnswerOf<typeof deadLetter>;
type ListedDelivery = AnswerOf<typeof listedDelivery>;

const maskFiles = (files: unknown): unknown =>
  !Array.isArray(files)
    ? hide(files)
    : files.map(({ contentType, byteSize, inline, ...rest }: Record<string, unknown>) => ({
        contentType: typeof contentType === 'string' ? maskWord(contentType) : null,
        byteSize: typeof byteSize === 'number' ? byteSize : null,
        inline: inline === true,
        ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [maskWord(name), hide(value)])),
      }));

/** Fields of `data` that may be shown, and how. */
const SHOWN_DATA: Readonly<Record<string, (value: unknown) => unknown>> = {
  // A status.
  code: (value) => (typeof value === 'number' ? value : hide(value)),
  class: (value) => maskWord(String(value)),
  final: (value) => value === true,
  // A message.
  charset: (value) => (typeof value === 'string' ? maskWord(value) : null),
  network: (value) => (typeof value === 'string' ? maskWord(value) : null),
  files: maskFiles,
};

const maskData = (type: string, data: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => {
      const isStatusName = name === 'name' && type === STATUS_TYPE && typeof value === 'string';
      if (isStatusName) return [name, maskWord(value)];
      return [maskWord(name), Object.hasOwn(SHOWN_DATA, name) ? SHOWN_DATA[name]?.(value) : hide(value)];
    }),
  );

export const maskEvent = ({
  id,
  type,
  integrationId,
  integrationName,
  channel,
  from,
  to,
  messageId,
  relatedMessageId,
  clientMessageId,
  occurredAt,
  receivedAt,
  valid,
  issues,
  data,
}: Event): Event => ({
  id,
  type: maskWord(type),
  integrationId,
  integrationName,
  channel: maskWordOrNull(channel),
  from: maskParty(from),
  to: maskParty(to),
  messageId,
  relatedMessageId,
  clientMessageId,
  occurredAt,
  receivedAt,
  ...(valid !== undefined && { valid }),
  ...(issues !== undefined && { issues }),
  data: maskData(type, data),
  raw: HIDDEN,
});

/** What `maskEvent` passes on, of the event and of `data`. `mask.test.ts` holds it against what it does. */
const SHOWN_FIELDS = [
  'id',
  'type',
  'integrationId',
  'integrationName',
  'channel',
  'messageId',
  'relatedMessageId',
  'clientMessageId',
  'occurredAt',
  'receivedAt',
  'valid',
  'issues',
];
const SHOWN_OF_FILES = ['contentType', 'byteSize', 'inline'];

/**
 * Whether masking shows a field, so that everybody may ask for it.
 * @param field.path from the event on; `*` for any element of a list
 * @param field.isOnlyTested Whether it is there is no secret, as its name is shown.
 */
export const isShownField = ({ path, isOnlyTested }: { path: readonly string[]; isOnlyTested: boolean }): boolean => {
  const [field = '', name = '', element, part = ''] = path;
  if (isOnlyTested && (path.length === 1 || (path.length === 2 && field === 'data'))) return true;
  if (field !== 'data') return SHOWN_FIELDS.includes(field);
  if (name !== 'files') return Object.hasOwn(SHOWN_DATA, name);
  return element === '*' && SHOWN_OF_FILES.includes(part);
};

interface Status {
  readonly id: string;
  readonly code: number | null;
  readonly name: string | null;
  readonly class: unknown;
  readonly final: boolean;
  readonly occurredAt: string | null;
  readonly receivedAt: string;
  readonly late: boolean;
}

/** A status holds nothing personal, unless its name is not a word. */
export const maskStatus = <One extends Status>(status: One): One => ({ ...status, name: maskWordOrNull(status.name) });

/** Errors whose message we write. A consumer that nacks a delivery writes its own. */
const OUR_ERRORS: readonly string[] = [
  'destination_rejected',
  'destination_timeout',
  'destination_unreachable',
  'destination_refused',
  'token_unavailable',
  'delivery_not_built',
  'delivery_aborted',
  'lease_expired',
  'crashes_consumer',
  'unreadable',
];

export const maskError = (code: string | null, message: string): string =>
  code !== null && OUR_ERRORS.includes(code) ? message : HIDDEN;

const maskAttempt = ({ number, startedAt, durationMs, outcome, status, error, response }: Attempt): Attempt => ({
  number,
  startedAt,
  durationMs,
  outcome,
  status,
  error: error === null ? null : { code: maskWord(error.code), message: maskError(error.code, error.message) },
  response: response === '' ? '' : HIDDEN,
});

export const maskDelivery = ({ id, eventId, destinationId, state, attempts, nextAttemptAt }: Delivery): Delivery => ({
  id,
  eventId,
  destinationId,
  state,
  attempts: attempts.map(maskAttempt),
  nextAttemptAt,
});

export const maskListedDelivery = (one: ListedDelivery): ListedDelivery => {
  const { id, eventId, destinationId, eventType, state, attempts, error, errorCode, ...harmless } = one;
  const { receivedAt, lastAttemptAt, nextAttemptAt, status } = harmless;
  return {
    id,
    eventId,
    destinationId,
    eventType: maskWord(eventType),
    state,
    attempts,
    receivedAt,
    lastAttemptAt,
    nextAttemptAt,
    status,
    errorCode: maskWordOrNull(errorCode),
    error: error === null ? null : maskError(errorCode, error),
  };
};

export const maskDeadLetter = (letter: DeadLetter): DeadLetter => {
  const { deliveryId, eventId, destinationId, eventType, kind, error, errorCode, ...harmless } = letter;
  const { status, receivedAt, failedAt, attempts } = harmless;
  return {
    deliveryId,
    eventId,
    destinationId,
    eventType: maskWord(eventType),
    kind,
    error: maskError(errorCode, error),
    errorCode: maskWordOrNull(errorCode),
    status,
    receivedAt,
    failedAt,
    attempts,
  };
};

/** The detail of a filter quotes nothing of an event: see `problemOf` in the package routing. */
export const maskRule = <Rule extends { readonly rule: string; readonly detail: string }>(told: Rule): Rule => ({
  ...told,
  detail:
    told.rule === 'filter'
      ? told.detail
      : told.detail.replace(/this is (.*)$/s, (_, word) => `this is ${maskWord(word)}`),
});
