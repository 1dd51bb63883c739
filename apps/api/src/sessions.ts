import { closeSession, openSession, SCOPES } from '@clickrelay/queue';
import { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import { operation } from './operation.ts';

const session = z
  .object({
    name: z.string().describe('The name of the key'),
    scopes: z.array(z.enum(SCOPES)),
    csrfToken: z.string().describe('Send it as `x-csrf-token` with every change'),
  })
  .meta({ id: 'Session' });

export const sessionOperations = [
  operation({
    method: 'post',
    path: '/v1/session',
    summary: 'Sign a browser in',
    description: 'With a key: the answer sets a cookie that scripts cannot read.',
    scopes: [],
    isPublic: true,
    body: z.object({ key: z.string().min(1).max(1_000).describe('`API_KEY`, or one made by `POST /v1/keys`') }),
    status: 201,
    response: session,
    errors: { 401: 'unauthorized', 403: 'foreign_origin', 429: 'too_many_requests' },
    run: async ({ body: { key } }, { store }, { browser, findCaller }) => {
      browser.assertSameOrigin();
      browser.countSignIn();
      const found = await findCaller(key);
      if (found === undefined) throw new RequestRefusedError(401, 'unauthorized', 'this is no key of this API');
      const { sessionId, session: opened } = await openSession(store, found.keyId, Date.now());
      browser.setSession(sessionId);
      const { name, scopes } = found.caller;
      return { name, scopes: [...scopes], csrfToken: opened.csrfToken };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/session',
    summary: 'Read the session',
    description: 'With its token for changes, which a reloaded page needs.',
    scopes: [],
    response: session,
    errors: { 404: 'not_found' },
    run: async (_request, _resources, { caller: { name, scopes }, browser }) => {
      const { csrfToken } = browser.session ?? {};
      if (csrfToken === undefined)
        throw new RequestRefusedError(404, 'not_found', 'this request came with a key, not a session');
      return { name, scopes: [...scopes], csrfToken };
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/session',
    summary: 'Sign out',
    scopes: [],
    status: 204,
    run: async (_request, { store }, { browser }) => {
      if (browser.sessionId !== undefined) await closeSession(store, browser.sessionId);
      browser.setSession(undefined);
    },
  }),
];
