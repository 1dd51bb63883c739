import { samples } from '@clickrelay/simulator';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from './start-receiver.ts';

let receiver: Receiver;
afterEach(() => receiver.stop());

const get = async (path: string) => {
  const response = await request(`${receiver.url}${path}`);
  return { status: response.statusCode, body: await response.body.json() };
};

const asked = { mode: 'always', mayBeLost: 'with the disk' } as const;

const unsafe = {
  ready: false,
  ...asked,
  durability: 'always',
  problems: [
    { setting: 'appendonly', value: 'no', mend: 'set `appendonly yes`' },
    { setting: 'maxmemory-policy', value: 'allkeys-lru', mend: 'set `maxmemory-policy noeviction`' },
  ],
};

describe('/healthz', () => {
  it('says that the process is up, whatever Redis does', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH: 'query:s1' }, { durability: () => unsafe });
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'up' } });
  });
});

describe('/readyz', () => {
  it('says with which durability a callback would be accepted', async () => {
    receiver = await startReceiver(
      { CALLBACK_AUTH: 'query:s1' },
      { durability: () => ({ ready: true, ...asked, durability: 'everysec', problems: [] }) },
    );
    expect(await get('/readyz')).toEqual({
      status: 200,
      body: { ready: true, mode: 'always', durability: 'everysec', mayBeLost: 'with the disk', problems: [] },
    });
  });

  it('names what is wrong with Redis and how to fix it', async () => {
    receiver = await startReceiver({}, { durability: () => unsafe });
    expect(await get('/readyz')).toEqual({
      status: 503,
      body: {
        ...unsafe,
        error: {
          code: 'not_ready',
          message:
            'appendonly is no: set `appendonly yes`; maxmemory-policy is allkeys-lru: set `maxmemory-policy noeviction`',
        },
      },
    });
  });

  it('is 503 as soon as the process has been told to stop', async () => {
    receiver = await startReceiver();
    receiver.stopping.abort();
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: { error: { code: 'not_ready', message: 'this receiver is stopping' } },
    });
  });

  it('takes GET and HEAD only', async () => {
    receiver = await startReceiver();
    const post = await request(`${receiver.url}/readyz`, { method: 'POST', body: 'x' });
    expect([post.statusCode, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });
});

describe('a receiver that stops', () => {
  it('finishes the requests under way, and takes no new ones', async () => {
    let finish = () => {};
    const committed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let committing = false;
    receiver = await startReceiver(
      {},
      {
        commit: () => {
          committing = true;
          return committed;
        },
      },
    );
    const answer = request(`${receiver.url}/client-callback/one-api-reply`, {
      method: 'POST',
      body: JSON.stringify(samples.reply),
    });
    await expect.poll(() => committing).toBe(true);
    receiver.stopping.abort();
    const stopped = receiver.stop(5000);
    await expect(request(`${receiver.url}/healthz`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish();
    const { statusCode, headers, body } = await answer;
    expect([statusCode, headers['connection'], await body.json()]).toEqual([200, 'close', { accepted: 8 }]);
    await stopped;
  });

  it('does not wait for ever for a request that does not end', async () => {
    receiver = await startReceiver({}, { commit: () => new Promise(() => {}) });
    const answer = request(`${receiver.url}/client-callback/one-api-reply`, { method: 'POST', body: '{"event":{}}' });
    const refused = expect(answer).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    await expect.poll(() => request(`${receiver.url}/healthz`).then((r) => r.statusCode)).toBe(200);
    await receiver.stop(100);
    await refused;
  });
});
