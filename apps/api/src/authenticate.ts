import { hash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { RefusalError } from './operation.ts';

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * Lets a request pass that carries the key.
 * @throws {RefusalError} 401 `unauthorized`
 */
export const authenticate = (key: string): Middleware => {
  const expected = digestOf(key);
  return (ctx, next) => {
    const shown = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1] ?? '';
    if (timingSafeEqual(digestOf(shown), expected)) return next();
    ctx.set('WWW-Authenticate', 'Bearer');
    throw new RefusalError(401, 'unauthorized', 'send the key of this API as `Authorization: Bearer <API_KEY>`');
  };
};
