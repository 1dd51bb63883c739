import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { type Address, type Cidr, isWithin } from './client-address.ts';
import { RefusalError } from './render-error.ts';

/**
 * Lets callbacks pass that come from an address of `CALLBACK_ALLOW_IPS`.
 * @throws {RefusalError} 403 `address_not_allowed`
 */
export function allowAddresses(
  allowed: readonly Cidr[],
  addressOf: (request: IncomingMessage) => Address | undefined,
): Middleware {
  return (ctx, next) => {
    const address = addressOf(ctx.req);
    if (address && isWithin(address, allowed)) return next();
    throw new RefusalError(
      403,
      'address_not_allowed',
      'callbacks are taken from CALLBACK_ALLOW_IPS only, this one came from elsewhere',
    );
  };
}
