import { hash, timingSafeEqual } from 'node:crypto';
import type { Session } from '@clickrelay/queue';
import type { Context } from 'koa';
import { RequestRefusedError } from './errors.ts';

/* A browser sends cookies by itself: a request with one does not prove that the user meant it. */

/** Over https, the prefix `__Host-` keeps other hosts and paths from setting the cookie. */
const COOKIE = { secure: '__Host-clickrelay', plain: 'clickrelay' } as const;

const ID = /^[\w-]{43}$/;

/** Reads the session cookie; undefined when there is none. */
export const sessionIdOf = (ctx: Context): string | undefined => {
  const id = ctx.cookies.get(COOKIE.secure) ?? ctx.cookies.get(COOKIE.plain);
  return id !== undefined && ID.test(id) ? id : undefined;
};

/** Behind a proxy that ends TLS, the origin of the page tells that the browser uses https. */
const isHttps = (ctx: Context): boolean => ctx.secure || ctx.get('origin').startsWith('https://');

/** @param sessionId undefined deletes the cookie */
export const setSessionCookie = (ctx: Context, sessionId: string | undefined): void => {
  const isSecure = isHttps(ctx);
  const name = isSecure ? COOKIE.secure : COOKIE.plain;
  const end = sessionId === undefined ? '; Max-Age=0' : '';
  const secure = isSecure ? '; Secure' : '';
  ctx.append('Set-Cookie', `${name}=${sessionId ?? ''}; Path=/; HttpOnly; SameSite=Strict${secure}${end}`);
};

/**
 * Programs send neither header, and have no cookie to abuse.
 * @throws {RequestRefusedError} 403 `foreign_origin`
 */
export const assertSameOrigin = (ctx: Context, { needed }: { needed: boolean }): void => {
  const site = ctx.get('sec-fetch-site');
  const origin = ctx.get('origin');
  if (site === 'same-origin') return;
  if (site === '' && origin !== '' && URL.canParse(origin) && new URL(origin).host === ctx.host) return;
  if (site === '' && origin === '' && !needed) return;
  throw new RequestRefusedError(
    403,
    'foreign_origin',
    'this came from a page of another origin; only our own page may do it',
  );
};

/**
 * A request that changes something with a cookie must come from our own page.
 * @throws {RequestRefusedError} 403 `foreign_origin` or `csrf_token`
 */
export const assertOwnPage = (ctx: Context, { csrfToken }: Session): void => {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return;
  assertSameOrigin(ctx, { needed: true });
  // A form cannot send JSON.
  const isForm = ctx.method !== 'DELETE' && ctx.is('application/json') === false;
  const given = hash('sha256', ctx.get('x-csrf-token'), 'buffer');
  if (isForm || !timingSafeEqual(given, hash('sha256', csrfToken, 'buffer'))) {
    throw new RequestRefusedError(
      403,
      'csrf_token',
      'with a session, a change needs JSON and the header x-csrf-token; `GET /v1/session` tells the token',
    );
  }
};
