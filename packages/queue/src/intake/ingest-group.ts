import type { Callback, Lane } from '@clickrelay/core';
import type { LargeText } from '../redis/large-text.ts';

/** A callback that the receiver wants to be durable. */
export interface CallbackToCommit {
  readonly lane: Lane;
  /** As bytes, without a byte order mark, only above `LARGE_TEXT_LENGTH`: a string of megabytes would be a second copy. */
  readonly text: string | Uint8Array;
  /** As `parseCallback` read it; without one, no event is reserved (see reserve-event.ts). */
  readonly envelope?: Callback['envelope'];
  /** W3C `traceparent` that its events belong to. */
  readonly trace?: string;
}

/** A callback in the ingest queue. */
export interface CommittedCallback {
  readonly receivedAt: string;
  /** Empty when the text is stored beside the job. */
  readonly text: string;
  /** Where a large text is stored. */
  readonly large?: LargeText;
  /** W3C `traceparent`; only while tracing is on. */
  readonly trace?: string;
}

/** The data of one ingest job: callbacks that were committed together. */
export interface IngestGroup {
  readonly callbacks: readonly CommittedCallback[];
}
