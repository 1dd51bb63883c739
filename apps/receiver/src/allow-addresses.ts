import type { IncomingMessage } from 'node:http';
import { type Address, type Cidr, isWithin } from './client-address.ts';
import { RefusalError } from './render-error.ts';

/**
 * Lets callbacks pass that come from an address of `CALLBACK_ALLOW_IPS`.
 * @throws {RefusalError} 403 `address_not_allowed`
 */
export const allowAddresses =
  (
    allowed: readonly Cidr[],
    addressOf: (request: IncomingMessage) => Address | undefined,
  ): ((request: IncomingMessage) => void) =>
  (request) => {
    const address = addressOf(request);
    if (address && isWithin(address, allowed)) return;
    throw new RefusalError(
      403,
      'address_not_allowed',
      'callbacks are taken from CALLBACK_ALLOW_IPS only, this one came from elsewhere',
    );
  };
