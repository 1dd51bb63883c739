import { ApiError, type Client, createClient, type Session } from '@clickrelay/client';
import { signal } from '@preact/signals';

/*
 * Who is signed in. The key is exchanged for a cookie that no script can read; this page keeps only the token that
 * every change must carry.
 */

/** Undefined: not known yet. Null: nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined);

const withToken: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  const token = session.peek()?.csrfToken;
  if (token !== undefined) headers.set('x-csrf-token', token);
  // A change says JSON also when it says nothing: the API takes no other from a browser.
  headers.set('content-type', 'application/json');
  return fetch(input, { ...init, headers, credentials: 'same-origin' });
};

const client = createClient({ url: location.origin, fetch: withToken });

/** Calls the API. A session that has ended leads back to the sign-in, and then to the same page. */
export const call: Client['call'] = async (...request) => {
  try {
    return await client.call(...request);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) session.value = null;
    throw error;
  }
};

export const readSession = async (): Promise<void> => {
  try {
    session.value = await client.call('GET /v1/session');
  } catch (error) {
    // Nobody is signed in; anything else is told by the page's own request.
    session.value = error instanceof ApiError && error.status !== 401 ? undefined : null;
    if (session.value === undefined) throw error;
  }
};

/** @throws {ApiError} when the key is refused */
export const signIn = async (key: string): Promise<void> => {
  session.value = await client.call('POST /v1/session', { body: { key } });
};

export const signOut = async (): Promise<void> => {
  await call('DELETE /v1/session');
  session.value = null;
};

/** Whether the key may do this; what it may not do is not offered. */
export const may = (scope: Session['scopes'][number]): boolean => session.value?.scopes.includes(scope) ?? false;
