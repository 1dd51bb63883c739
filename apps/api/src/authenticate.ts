import { hash, timingSafeEqual } from 'node:crypto';
import { findKey, type Key, SCOPES, type Store } from '@clickrelay/queue';
import type { Context, Middleware } from 'koa';
import { RefusalError } from './operation.ts';

/** Whose key a request carries. */
export type Caller = Pick<Key, 'name' | 'scopes' | 'destinations'> & Partial<Pick<Key, 'id'>>;

/** Who has `API_KEY` may do everything. */
export const OWNER: Caller = { name: 'API_KEY', scopes: SCOPES, destinations: ['*'] };

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * Lets a request pass that carries `apiKey`, or a key that was made here.
 * @throws {RefusalError} 401 `unauthorized`
 */
export const authenticate = (apiKey: string, store: Store): Middleware => {
  const expected = digestOf(apiKey);
  return async (ctx, next) => {
    const shown = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1] ?? '';
    let caller: Caller | undefined;
    if (timingSafeEqual(digestOf(shown), expected)) caller = OWNER;
    else if (shown.startsWith('crk_')) {
      store.assertConnected();
      caller = await findKey(store, shown);
    }
    if (caller === undefined) {
      ctx.set('WWW-Authenticate', 'Bearer');
      throw new RefusalError(401, 'unauthorized', 'send a key of this API as `Authorization: Bearer <key>`');
    }
    ctx.state['caller'] = caller;
    return next();
  };
};

/** As the audit record has it: names of keys are not unique. */
export const nameOf = ({ name, id }: Caller): string => (id === undefined ? name : `${name} (${id})`);

export const callerOf = (ctx: Context): Caller => ctx.state['caller'] as Caller;
