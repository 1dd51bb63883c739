/*
 * How much Redis, the spool and an answer take at a time. Sizes that other packages know too are in
 * packages/core/src/size-limits.ts.
 *
 * `_BYTES` counts bytes. `_LENGTH` counts what `length` says: bytes of an array, characters of a string, which is
 * mostly ASCII and should not be encoded just to be measured.
 */

// -- what Redis takes at a time: it serves no other client meanwhile ------------------------------------------------

/** Longer callbacks and elements lie in pieces beside the job or record that refers to them: see large-text.ts. */
export const LARGE_TEXT_LENGTH = 256 * 1024;

/** Redis takes or gives a piece in about a millisecond. */
export const PIECE_LENGTH = 256 * 1024;

/**
 * The callbacks of one ingest job, whether they come from receivers or from the spool. A larger group would only hold
 * up the writes behind it. A single callback above this length is a group of its own.
 */
export const MAX_GROUP_CALLBACKS = 256;
export const MAX_GROUP_LENGTH = 256 * 1024;

/** What is read of an event's record to get its head. Only with very many routes is the head longer. */
export const RECORD_HEAD_BYTES = 1_024;

/** The same where a longer head is passed over, not read again. */
export const RECORD_HEAD_ONCE_BYTES = 2_048;

// -- what a process holds in memory ---------------------------------------------------------------------------------

/**
 * A page of events, or an answer with leases, ends with the event that makes it longer: 100 pictures are a gigabyte.
 */
export const MAX_PAGE_LENGTH = 16 * 1024 * 1024;

/** A body is hashed in steps of about a millisecond, between which other callbacks have their turn. */
export const HASHED_AT_ONCE_BYTES = 1024 * 1024;

// -- when there is no room ------------------------------------------------------------------------------------------

/** A callback below this size that does not fit proves Redis full. A larger one is refused alone. */
export const SMALL_CALLBACK_BYTES = 256 * 1024;

/** When either limit is reached the sender gets 422, and a person should look. */
export const MAX_QUARANTINED_CALLBACKS = 10_000;
export const MAX_QUARANTINE_BYTES = 256 * 1024 * 1024;

// -- the spool ------------------------------------------------------------------------------------------------------

/** All that the spool takes on its disk, unless the receiver's `SPOOL_MAX_BYTES` says otherwise. */
export const DEFAULT_SPOOL_BYTES = 10 * 1024 ** 3;

/** A segment that has grown to this is finished. Segments are removed whole: this is how the disk gets room again. */
export const SPOOL_SEGMENT_BYTES = 64 * 1024 * 1024;

/** One write with its fsync. */
export const MAX_SPOOL_WRITE_ENTRIES = 1_024;
export const MAX_SPOOL_WRITE_BYTES = 4 * 1024 * 1024;

/**
 * Encoded entries that wait in memory for the disk. Above this the disk does not keep up, and callbacks are refused.
 */
export const MAX_SPOOL_PENDING_BYTES = 64 * 1024 * 1024;

/** A segment is read through a window of this size, whatever the size of the segment. */
export const SPOOL_WINDOW_BYTES = 1024 * 1024;

/** What is written to find out whether a disk that failed works again. */
export const SPOOL_PROBE_BYTES = 64 * 1024;
