import { z } from 'zod';

const count = z.int();

/** Callbacks that receivers refused, by the status they answered. */
export const refusals = z
  .object({
    noCredential: count.describe('401: without any credential, so hardly from Clickatell'),
    wrongCredential: count.describe('401: with a wrong one; the portal may have an old URL'),
    forbidden: count.describe('403: the address or the integration is not allowed'),
    tooLarge: count.describe('413: larger than `MAX_BODY_BYTES`'),
    unprocessable: count.describe('422'),
    rateLimited: count.describe('429: too many wrong credentials from one address'),
    unavailable: count.describe('503: nothing durable could be written'),
  })
  .meta({ id: 'RefusalCounts' });
