/** The last millisecond that ISO 8601 writes with four digits of year. */
export const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * A time as ISO 8601 in UTC, for whatever Redis holds: the nearest time between 1970 and 9999, and 1970 for what is no
 * number. `toISOString` throws for these, and one bad value would take down every list that shows it.
 */
export const toIso = (ms: number): string => new Date(Math.min(Math.max(ms || 0, 0), LAST_MS)).toISOString();
