import { hash, timingSafeEqual } from 'node:crypto';
import type { Renderer } from '@clickrelay/metrics';
import type { Middleware } from 'koa';
import { callerOf } from './authenticate.ts';
import { authorize } from './authorize.ts';

export interface ServeMetricsOptions {
  /** Opens `/metrics` and nothing else; empty when there is no such token. */
  readonly token: string;
  /** Lets any key of the API pass. */
  readonly authenticated: Middleware;
  readonly renderer: Pick<Renderer, 'render'>;
}

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');

/** `GET /metrics`: for `token`, which is checked without Redis, and for keys with the scope `read`. */
export const serveMetrics = ({ token, authenticated, renderer }: ServeMetricsOptions): Middleware => {
  const expected = token === '' ? undefined : digestOf(token);
  return async (ctx, next) => {
    if (ctx.path !== '/metrics' || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    const shown = /^Bearer +(\S+)$/i.exec(ctx.get('authorization'))?.[1] ?? '';
    const hasToken = expected !== undefined && timingSafeEqual(digestOf(shown), expected);
    const serve = async (): Promise<void> => {
      if (!hasToken) authorize({ scopes: ['read'] }, callerOf(ctx));
      const { contentType, text } = await renderer.render();
      ctx.set('Content-Type', contentType);
      ctx.body = text;
    };
    return hasToken ? serve() : authenticated(ctx, serve);
  };
};
