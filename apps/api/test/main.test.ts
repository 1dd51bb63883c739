import { openStore, readDestination, type Store } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { PERSON_KEY, type RedisServer, startProgram, startRedis } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY } from './start-api.ts';

const main = new URL('../src/main.ts', import.meta.url).pathname;

let redis: RedisServer;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});

const start = async (environment: Record<string, string> = {}) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { API_PORT: String(port), REDIS_URL: redis.url, PERSON_KEY, API_KEY, ...environment };
  return { url, program: await startProgram({ args: [main], env, ipc: true, readyUrl: `${url}/healthz` }) };
};

describe('the API as a program', () => {
  it.each([
    [{}, 'API_KEY is empty; set it to a long random text, which callers send as `Authorization: Bearer …`'],
    [{ API_KEY: 'canary' }, 'API_KEY must have at least 16 characters'],
  ])('does not start without a good key: %j', async (environment, message) => {
    const env = { API_PORT: '0', REDIS_URL: redis.url, PERSON_KEY, ...environment };
    const error: Error = await startProgram({ args: [main], env, readyOutput: /listening/ }).then(
      () => new Error('it started'),
      (refused) => refused,
    );
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('canary');
  });

  it('listens on the loopback address only', async () => {
    const { program, url } = await start();
    await program.waitForOutput(/"host":"127\.0\.0\.1"/);
    const status = async () =>
      (await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${API_KEY}` } })).json();
    // It may not have looked at Redis yet.
    await expect.poll(status).toMatchObject({ durability: { ready: true } });
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.stdout()).not.toContain(API_KEY);
    // There was no error: it used the connection only once there was one.
    expect(program.stdout()).not.toContain('leases.error');
  });

  it('starts without Redis, and serves once Redis is there', async () => {
    await redis.kill('SIGKILL');
    const { program, url } = await start();
    const status = async () =>
      (await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${API_KEY}` } })).status;
    expect(await status()).toBe(503);
    await redis.restart();
    await expect.poll(status).toBe(200);
    expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('does not outlive a `clickrelay start` that goes away before it is ready', async () => {
    const env = { API_PORT: '0', REDIS_URL: redis.url, PERSON_KEY, API_KEY };
    const program = await startProgram({ args: [main], env, ipc: true });
    program.disconnect();
    expect((await program.exited).signal).toBe(null);
    expect(program.stderr()).toBe('');
  });

  it('accepts destinations of an adapter that ADAPTERS names, and checks their settings', async () => {
    const module = new URL('chat-adapter.mjs', import.meta.url).pathname;
    const { program, url } = await start({ ADAPTERS: module });
    const put = (body: unknown) =>
      fetch(`${url}/v1/destinations/team`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${API_KEY}` },
        body: JSON.stringify(body),
      });
    const saved = await put({ type: 'chat', room: 'support', rate: '5/s' });
    expect([saved.status, await saved.json()]).toMatchObject([200, { type: 'chat', room: 'support', concurrency: 32 }]);
    const refused = await put({ type: 'chat', room: 7 });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { issues: [{ path: 'room' }] } }]);
    expect((await put({ type: 'carrier-pigeon' })).status).toBe(400);
    await program.stop('SIGTERM');
  });

  it('shows only the settings that such an adapter allows, and accepts the hidden ones back', async () => {
    const module = new URL('chat-adapter.mjs', import.meta.url).pathname;
    const { program, url } = await start({ ADAPTERS: module });
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${API_KEY}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    };
    const secrets = { apiToken: 'canary-token', login: { user: 'canary-user', password: 'canary-password' } };
    const put = (body: object) => call('PUT', '/v1/destinations/chat', { type: 'chat', room: 'support', ...body });
    const saved = await put(secrets);
    const texts = [saved, await call('GET', '/v1/destinations/chat'), await call('GET', '/v1/destinations')];
    for (const { status, text } of texts) {
      expect([status, text]).toEqual([200, expect.not.stringContaining('canary')]);
      expect(text).toContain('"room":"support"');
    }
    const hidden = { apiToken: '(hidden)', login: '(hidden)' };
    expect(JSON.parse(saved.text)).toMatchObject(hidden);

    const stored = async () => (await readDestination(store, 'chat'))?.config;
    expect((await put({ ...hidden, rate: '5/s' })).status).toBe(200);
    expect(await stored()).toEqual({ room: 'support', ...secrets, rate: '5/s', concurrency: 32 });
    // A caller that may not see the token must not be able to have it sent elsewhere.
    const elsewhere = await put({ ...hidden, room: 'mine' });
    expect([elsewhere.status, elsewhere.text]).toEqual([
      400,
      expect.stringContaining('chat: apiToken is left out, and room is another one now: give it again'),
    ]);
    expect((await put({ apiToken: 'another' })).status).toBe(200);
    expect((await put({ apiToken: 'another', login: '(hidden)' })).text).toContain('there is none to keep');
    expect((await put({ apiToken: 'abc' })).text).toContain('apiToken must have 5 characters');
    await program.stop('SIGTERM');

    // Without the adapter, nothing is known about its settings.
    const without = await start();
    const answer = await fetch(`${without.url}/v1/destinations/chat`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    expect(await answer.json()).toMatchObject({ room: '(hidden)', apiToken: '(hidden)', concurrency: 32 });
    await without.program.stop('SIGTERM');
  });

  it('follows the end of the process that started it', async () => {
    const { program } = await start();
    program.disconnect();
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('ends while Redis does not answer', async () => {
    const { program } = await start();
    await redis.kill('SIGSTOP');
    try {
      expect(await program.stop('SIGTERM', 10_000)).toEqual({ code: 0, signal: null });
    } finally {
      await redis.kill('SIGCONT');
    }
  });
});
