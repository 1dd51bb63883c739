/** The outer object of a callback: an array of elements for each event type. */
export interface Envelope {
  integrationId?: string;
  integrationName?: string;
  event: Record<string, unknown[]>;
  [other: string]: unknown;
}
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
/**
 * What Clickatell sends. `JSON.stringify` of `reply` and `status` is what its documentation shows on the wire, byte for
 * byte: their `Content-Length` headers say so (one mail address in `reply` was masked by the web page, 4 bytes longer).
 */
export declare const samples: {
  /** The documented reply callback: eight events of seven types. */
  readonly reply: Envelope;
  /** The documented status callback: one messageStatusUpdate. */
  readonly status: Envelope;
  /** One documented element of each type, alone in its envelope. Of moMedia it is the inline one. */
  readonly byType: Readonly<Record<SampleType, Envelope>>;
  /** What the documentation leaves open, seen in consumers' code or on older pages. */
  readonly odd: Readonly<Record<OddSample, Envelope>>;
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
 * A copy of an envelope that tells new facts: each `messageId` is replaced (those that were equal stay equal) and each
 * `timestamp` becomes `now`. Without it a second copy of a sample is a duplicate and is dropped as one.
 * @param now epoch milliseconds; default: the clock
 */
export declare const freshCopy: (envelope: Envelope, now?: number) => Envelope;
/**
 * A callback with one event that never happened before.
 * @param type one of Clickatell's eight types; any other name gives an event of an unknown type with a moText's fields
 * @param overrides fields that replace those of the element, `messageId` and `timestamp` included
 */
export declare const sampleCallback: (
  type: SampleType | (string & {}),
  overrides?: Record<string, unknown>,
) => Envelope;
