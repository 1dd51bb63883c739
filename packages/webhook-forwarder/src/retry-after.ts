import { DAY_MS } from '@clickrelay/core';
/** The longest wait that a destination may ask for, in ms: the longest step of the default retry schedule. */
export const MAX_RETRY_AFTER_MS = DAY_MS;

// The only one of RFC 9110's three date forms that may still be sent. `Date.parse` alone reads `10junk` and `-1` as
// dates.
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads how long a `Retry-After` header asks us to wait, in ms, at most 24 hours. Returns undefined when it is neither
 * a number of seconds nor an HTTP date (RFC 9110, section 10.2.3), or was sent twice.
 */
export const parseRetryAfter = (header: string | string[] | undefined, now: number): number | undefined => {
  if (typeof header !== 'string') return undefined;
  const value = header.trim();
  // Some services send fractions of a second.
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.min(Math.ceil(Number(value) * 1000), MAX_RETRY_AFTER_MS);
  if (!HTTP_DATE.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), MAX_RETRY_AFTER_MS);
};
