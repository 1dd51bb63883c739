import { z } from 'zod';

const count = z.int();

/** Callbacks that receivers did not take, by what they answered. */
export const refusals = z
  .object({
    unauthorized: count.describe('401: no credential, or a wrong one'),
    forbidden: count.describe('403: from an address or of an integration that is not allowed'),
    tooLarge: count.describe('413'),
    unprocessable: count.describe('422'),
    rateLimited: count.describe('429: too many wrong credentials from one address'),
    unavailable: count.describe('503: there was nothing durable to write them to'),
  })
  .meta({ id: 'RefusalCounts' });
