import { randomBytes } from 'node:crypto';
import batch from './samples/batch.json' with { type: 'json' };
import integrationIdSpelling from './samples/integration-id-spelling.json' with { type: 'json' };
import locationLatitude from './samples/location-latitude.json' with { type: 'json' };
import mediaByReference from './samples/media-by-reference.json' with { type: 'json' };
import mediaEncrypted from './samples/media-encrypted.json' with { type: 'json' };
import reply from './samples/one-api-reply.json' with { type: 'json' };
import status from './samples/one-api-status.json' with { type: 'json' };
import smsPercentEncoded from './samples/sms-percent-encoded.json' with { type: 'json' };
import smsWithoutWhatsapp from './samples/sms-without-whatsapp.json' with { type: 'json' };
import statusUnknownCode from './samples/status-unknown-code.json' with { type: 'json' };
import unknownType from './samples/unknown-type.json' with { type: 'json' };

/** The outer object of a callback: an array of elements for each event type. */
export interface Envelope {
  integrationId?: string;
  integrationName?: string;
  event: Record<string, unknown[]>;
  [other: string]: unknown;
}

const official: Record<SampleType, unknown[]> = { ...reply.event, ...status.event };

/** The event types of Clickatell's own two samples. */
export type SampleType =
  | 'moText'
  | 'moMedia'
  | 'moLocation'
  | 'moContacts'
  | 'moSuggestedResponse'
  | 'moListPickerResponse'
  | 'moButtonResponse'
  | 'messageStatusUpdate';

const byType = Object.fromEntries(
  Object.entries(official).map(([type, elements]) => [
    type,
    {
      integrationId: reply.integrationId,
      integrationName: reply.integrationName,
      event: { [type]: elements.slice(0, 1) },
    },
  ]),
) as Record<SampleType, Envelope>;

/**
 * Callbacks as Clickatell sends them. `JSON.stringify` of `reply` and `status` matches the documentation byte for byte,
 * as its `Content-Length` headers confirm (the web page masks a mail address in `reply`, which makes it 4 bytes
 * longer).
 */
export const samples: {
  /** The documented reply callback: eight events of seven types. */
  readonly reply: Envelope;
  /** The documented status callback: one messageStatusUpdate. */
  readonly status: Envelope;
  /** One documented element of each type, alone in its envelope; for moMedia, the inline one. */
  readonly byType: Readonly<Record<SampleType, Envelope>>;
  /** Variants that the documentation leaves open, from consumers' code or older pages. */
  readonly odd: Readonly<Record<OddSample, Envelope>>;
} = {
  reply,
  status,
  byType,
  odd: {
    batch,
    integrationIdSpelling,
    locationLatitude,
    mediaByReference,
    mediaEncrypted,
    smsPercentEncoded,
    smsWithoutWhatsapp,
    statusUnknownCode,
    unknownType,
  },
};

export type OddSample =
  | 'batch'
  | 'integrationIdSpelling'
  | 'locationLatitude'
  | 'mediaByReference'
  | 'mediaEncrypted'
  | 'smsPercentEncoded'
  | 'smsWithoutWhatsapp'
  | 'statusUnknownCode'
  | 'unknownType';

/**
 * Copies an envelope with new events: replaces each `messageId` (equal ones stay equal) and sets each `timestamp` to
 * `now`. A plain second copy of a sample would be dropped as a duplicate.
 * @param now epoch milliseconds; default: the clock
 */
export const freshCopy = (envelope: Envelope, now: number = Date.now()): Envelope => {
  const copy = structuredClone(envelope);
  const newIds = new Map<unknown, string>();
  for (const element of Object.values(copy.event).flat()) {
    if (typeof element !== 'object' || element === null) continue;
    const fields = element as Record<string, unknown>;
    if ('messageId' in fields) {
      const id = newIds.get(fields['messageId']) ?? randomBytes(16).toString('hex');
      newIds.set(fields['messageId'], id);
      fields['messageId'] = id;
    }
    if ('timestamp' in fields) fields['timestamp'] = now;
  }
  return copy;
};

/**
 * Makes a callback with one new event.
 * @param type one of Clickatell's eight types; any other name makes an event of an unknown type with a moText's fields
 * @param overrides fields that replace those of the element, even `messageId` and `timestamp`
 */
export const sampleCallback = (type: SampleType | (string & {}), overrides: Record<string, unknown> = {}): Envelope => {
  const known = (byType as Record<string, Envelope>)[type];
  const copy = freshCopy(known ?? byType.moText);
  const [element] = Object.values(copy.event)[0] as [Record<string, unknown>];
  copy.event = { [type]: [{ ...element, ...overrides }] };
  return copy;
};
