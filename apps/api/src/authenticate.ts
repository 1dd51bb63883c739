import { hash, timingSafeEqual } from 'node:crypto';
import { findKey, findSession, type Key, listKeys, SCOPES, type Session, type Store } from '@clickrelay/queue';
import type { Context, Middleware } from 'koa';
import { assertOwnPage, sessionIdOf } from './browser.ts';
import { RequestRefusedError } from './errors.ts';

/** The holder of the key that a request carries. */
export type Caller = Pick<Key, 'name' | 'scopes' | 'destinations'> & Partial<Pick<Key, 'id'>>;

/** The holder of `API_KEY` may do everything. */
export const OWNER: Caller = { name: 'API_KEY', scopes: SCOPES, destinations: ['*'] };

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/** A caller, and the id by which a session remembers the key. */
interface Known {
  readonly caller: Caller;
  readonly keyId: string;
}

/** Finds the holder of a key; undefined when the key never existed or was removed. */
export type FindCaller = (shown: string) => Promise<Known | undefined>;

/** The id of `API_KEY` in a session: when the key changes, its sessions end. */
const ownerIdOf = (apiKey: string): string => `owner_${hash('sha256', `session of ${apiKey}`)}`;

export const findCallers =
  (apiKey: string, store: Store): FindCaller =>
  async (shown) => {
    if (timingSafeEqual(digestOf(shown), digestOf(apiKey))) return { caller: OWNER, keyId: ownerIdOf(apiKey) };
    if (!shown.startsWith('crk_')) return undefined;
    store.assertConnected();
    const key = await findKey(store, shown);
    return key === undefined ? undefined : { caller: key, keyId: key.id };
  };

/** A session may do what its key may, but the audit record names it, and personal data is hidden unless it asks. */
const callerOfSession = async (apiKey: string, store: Store, { keyId }: Session): Promise<Caller | undefined> => {
  if (keyId === ownerIdOf(apiKey)) return { ...OWNER, id: 'session' };
  const key = (await listKeys(store)).find(({ id }) => id === keyId);
  return key === undefined ? undefined : { ...key, id: `${key.id}, session` };
};

/**
 * Lets a request pass when it carries `apiKey`, a key that the API made, or the cookie of a session.
 * @throws {RequestRefusedError} 401 `unauthorized`
 */
export const authenticate = (
  { apiKey, store, findCaller }: { apiKey: string; store: Store; findCaller: FindCaller },
  isPublic: (ctx: Context) => boolean,
): Middleware => {
  return async (ctx, next) => {
    const shown = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1];
    const sessionId = ctx.get('authorization') === '' ? sessionIdOf(ctx) : undefined;
    let caller: Caller | undefined;
    if (shown !== undefined) caller = (await findCaller(shown))?.caller;
    else if (sessionId !== undefined && !isPublic(ctx)) {
      store.assertConnected();
      const session = await findSession(store, sessionId, Date.now());
      caller = session && (await callerOfSession(apiKey, store, session));
      if (caller !== undefined && session !== undefined) {
        assertOwnPage(ctx, session);
        ctx.state['session'] = session;
      }
    }
    if (caller === undefined && !isPublic(ctx)) {
      ctx.set('WWW-Authenticate', 'Bearer');
      throw new RequestRefusedError(401, 'unauthorized', 'send a key of this API as `Authorization: Bearer <key>`');
    }
    ctx.state['caller'] = caller ?? NOBODY;
    return next();
  };
};

const NOBODY: Caller = { name: 'nobody', scopes: [], destinations: [] };

/** The caller's name in the audit record, with the id, because names of keys are not unique. */
export const nameOf = ({ name, id }: Caller): string => (id === undefined ? name : `${name} (${id})`);

export const callerOf = (ctx: Context): Caller => ctx.state['caller'] as Caller;
export const sessionOf = (ctx: Context): Session | undefined => ctx.state['session'] as Session | undefined;
