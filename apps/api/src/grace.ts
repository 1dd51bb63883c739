import { DAY_MS, parseDuration } from '@clickrelay/core';
import { z } from 'zod';

const LONGEST_MS = 30 * DAY_MS;

/** How long what is replaced is still good: a duration of 30 days at most. */
export const grace = z.string().refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= LONGEST_MS, {
  error: 'must be a duration such as 0s, 1h or 7d, and 30d at most',
});
