import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveConsole } from './serve-console.ts';

let dir: string;
let server: Server;
let url: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickrelay-pages-'));
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Clickrelay</title>');
  await writeFile(join(dir, 'assets/index-abc.js'), 'console.log(1)');
  const app = new Koa();
  app.use(serveConsole(dir));
  app.use((ctx) => {
    ctx.status = 404;
    ctx.body = { error: 'of the API' };
  });
  server = createServer(app.callback()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(url + path, { method, headers: { accept: 'text/html', ...headers } });

describe('the console is served', () => {
  it('at every path of a page, never from a cache that is not asked again', async () => {
    for (const path of ['/', '/events/evt_1', '/dead-letters?destination=crm']) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<title>Clickrelay</title>');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
  });

  it('under a policy that lets nothing in from elsewhere, and nothing inline', async () => {
    const { headers } = await get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('with assets that never change under their name', async () => {
    const answer = await get('/assets/index-abc.js');
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.text()).toBe('console.log(1)');
    // A browser asks like this; without the second header fetch asks for a fresh copy.
    const known = { 'if-none-match': answer.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
    const again = await get('/assets/index-abc.js', known);
    expect(again.status).toBe(304);
  });

  it('and takes nothing that is meant for the API, for a program, or for no file', async () => {
    for (const path of ['/v1/events', '/v1', '/metrics', '/healthz']) expect((await get(path)).status).toBe(404);
    expect((await get('/evnts', { accept: 'application/json' })).status).toBe(404);
    expect((await get('/events', {}, 'POST')).status).toBe(404);
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/assets/%2e%2e%2findex.html']) {
      expect(await (await get(path, { accept: '*/*;q=0.1, application/json' })).text()).toContain('of the API');
    }
  });
});
