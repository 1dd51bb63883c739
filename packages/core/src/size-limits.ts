/*
 * Sizes at which core works differently, and sizes that several packages have in common. Sizes of what Redis and the
 * spool hold are in packages/queue/src/redis/size-limits.ts.
 *
 * `_BYTES` counts bytes. `_LENGTH` counts characters as `String.length` does: it costs nothing to ask, and the text of a
 * callback is mostly ASCII.
 */

/**
 * Callbacks above this size are parsed in the receiver, and split in the worker, on a thread of their own. A callback of
 * this size takes the main thread a few milliseconds.
 */
export const LARGE_CALLBACK_BYTES = 1024 * 1024;

/** How much of a destination's answer an attempt keeps. */
export const MAX_RESPONSE_BYTES = 16 * 1024;

/** A longer callback does not keep its parsed envelope, which takes several times the memory of the text. */
export const MAX_LENGTH_WITH_ENVELOPE = 16 * 1024;

/** The text behind an event id is hashed in parts of about this length, so that inline media are not copied. */
export const HASHED_AT_ONCE_LENGTH = 64 * 1024;
