import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context, Middleware } from 'koa';

/*
 * The console: files that apps/console builds, in memory. They are public and hold no data, so that a shared link opens
 * before the browser sends its cookie; every datum behind them needs a session or a key.
 */

/** Nothing from elsewhere, nothing inline, no frame around it, and no markup made from texts. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly type: string;
  readonly etag: string;
}

const readAsset = (file: string): Asset => {
  const plain = readFileSync(file);
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 16)}"`;
  return { plain, zipped: gzipSync(plain), type: TYPES[extname(file)] ?? 'application/octet-stream', etag };
};

/** Every file of a folder, by its path in a URL. */
const readAssets = (dir: string): Map<string, Asset> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        return [`/${relative(dir, file).split(sep).join('/')}`, readAsset(file)];
      }),
  );

const INDEX = '/index.html';

/** Paths that are not pages. */
const isApi = (path: string): boolean => /^\/(v1|metrics|healthz)(\/|$)/.test(path);

const send = (ctx: Context, asset: Asset, isHashed: boolean): void => {
  ctx.set('Content-Security-Policy', POLICY);
  ctx.set('Referrer-Policy', 'no-referrer');
  ctx.set('X-Content-Type-Options', 'nosniff');
  // The names of hashed files change with their content.
  ctx.set('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  ctx.set('Vary', 'Accept-Encoding');
  ctx.status = 200;
  ctx.etag = asset.etag;
  ctx.type = asset.type;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (isZipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = isZipped ? asset.zipped : asset.plain;
};

/** @param dir the built console */
export const serveConsole = (dir: string): Middleware => {
  const assets = readAssets(dir);
  return (ctx, next) => {
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || isApi(ctx.path)) return next();
    const asset = assets.get(ctx.path);
    if (asset !== undefined) return send(ctx, asset, ctx.path.startsWith('/assets/'));
    // A page of the console: the browser finds out which. A program that mistyped a path gets its 404.
    const index = ctx.accepts('json', 'html') === 'html' ? assets.get(INDEX) : undefined;
    if (index === undefined) return next();
    return send(ctx, index, false);
  };
};
