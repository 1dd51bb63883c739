import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { listQuarantine, openStore, readQuarantined, readRefusals, type Store, sumRefusals } from '@clickrelay/queue';
import { createSender, sampleCallback, samples } from '@clickrelay/simulator';
import { fairNow, type Program, type RedisServer, startProgram, startRedis, waitUntil } from '@clickrelay/testkit';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAIN, readCommitted, startReceiverProgram } from './receiver-program.ts';

let redis: RedisServer;
let store: Store;
let receiver: Program | undefined;
let url: string;

beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.ready();
});
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});

interface StartOptions {
  readonly environment?: Record<string, string>;
  readonly until?: 'readyz' | 'healthz';
}

const start = async (options: StartOptions = {}): Promise<Program> => {
  const started = await startReceiverProgram({ redisUrl: redis.url, ...options });
  ({ url } = started);
  receiver = started;
  return started;
};

const readyz = async () => {
  const { statusCode, body } = await request(`${url}/readyz`);
  return { status: statusCode, body: await body.json() };
};

/** `ms` are those of `fairNow`. */
const send = async (body = JSON.stringify(sampleCallback('moText'))) => {
  const startedAt = fairNow();
  const response = await request(`${url}/client-callback/one-api-reply?token=s3cret`, { method: 'POST', body });
  const answer = await response.body.json();
  const retryAfter = response.headers['retry-after'];
  return { status: response.statusCode, retryAfter, answer, ms: fairNow() - startedAt };
};

const committed = async (): Promise<Set<string>> => new Set(await readCommitted(store));

describe('the receiver on a real Redis', () => {
  it.each([
    [{}, 'timeout=620'],
    [{ KEEP_ALIVE_TIMEOUT: '1h' }, 'timeout=3600'],
  ])('keeps an unused connection longer than the load balancer in front of it: %j', async (environment, told) => {
    await start({ environment });
    const { headers, body } = await request(`${url}/healthz`);
    await body.dump();
    expect(headers['keep-alive']).toBe(told);
  });

  it('closes an unused connection after `KEEP_ALIVE_TIMEOUT`', async () => {
    await start({ environment: { KEEP_ALIVE_TIMEOUT: '1s' } });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  });

  it('reports how many callbacks it refused, up to the last one, and nothing about who sent them', async () => {
    const program = await start();
    const refuse = async (query = '?token=guessed-4711'): Promise<void> => {
      const stranger = `${url}/client-callback/one-api-reply${query}`;
      expect((await request(stranger, { method: 'POST', body: 'of a stranger' })).statusCode).toBe(401);
    };
    const told = async () => {
      const now = Date.now();
      const times = { fromMs: now - 3_600_000, toMs: now + 3_600_000, step: 'minute' } as const;
      return sumRefusals((await readRefusals(store, times)).values());
    };
    await refuse();
    await waitUntil(async () => (await told()).wrongCredential === 1);
    await refuse();
    await refuse('');
    await program.stop();
    expect(await told()).toMatchObject({ noCredential: 1, wrongCredential: 2 });
    // Nothing but numbers: how often, and when the first one of a minute came.
    for (const key of await store.redis.keys('*refused*')) {
      const kept = key.endsWith(':first-wrong')
        ? await store.redis.zrange(key, '0', '-1', 'WITHSCORES')
        : await store.redis.hgetall(key);
      expect(JSON.stringify(kept)).toMatch(/^[\d",:{}[\]]+$/);
    }
  });

  it('commits callbacks, and keeps bodies that are not callbacks', async () => {
    await start();
    // The minutes in which a receiver was ready: without them, silence says nothing.
    await waitUntil(async () => (await store.redis.keys('*:ready:*')).length > 0);
    expect(await readyz()).toEqual({
      status: 200,
      body: {
        ready: true,
        mode: 'always',
        durability: 'always',
        mayBeLost: expect.stringContaining('lost with the disk'),
        problems: [],
      },
    });

    const text = JSON.stringify(samples.reply);
    expect(await send(text)).toMatchObject({ status: 200, answer: { accepted: 8 } });
    expect(await committed()).toContain(text);

    const { status, answer } = await send('no callback');
    expect([status, answer]).toEqual([200, { accepted: 0, quarantined: expect.stringMatching(/^qrt_/) }]);
    const { items } = await listQuarantine(store, { limit: 10 });
    const kept = await readQuarantined(store, (answer as { quarantined: string }).quarantined);
    expect(items.map(({ id }) => id)).toEqual([kept?.id]);
    expect(Buffer.from(kept?.body ?? []).toString()).toBe('no callback');
  });

  it('answers 503 in time while Redis does not answer, and accepts again as soon as it does', async () => {
    await start();
    expect((await send()).status).toBe(200);
    await redis.kill('SIGSTOP');
    try {
      const answers = await Promise.all([...Array.from({ length: 50 }, () => send()), send('no callback')]);
      for (const answer of answers) {
        expect(answer).toMatchObject({
          status: 503,
          retryAfter: '2',
          answer: { error: { code: 'queue_unavailable' } },
        });
        expect(answer.ms).toBeLessThan(5_000);
      }
      // Callbacks that come while a write is stuck are refused no later.
      expect((await send()).ms).toBeLessThan(5_000);
    } finally {
      await redis.kill('SIGCONT');
    }
    const backAt = fairNow();
    await waitUntil(async () => (await send()).status === 200);
    expect(fairNow() - backAt).toBeLessThan(5_000);
  });

  it('answers 503 at once while Redis is down, and recovers without a restart', async () => {
    await start();
    await redis.kill('SIGKILL');
    await waitUntil(async () => (await readyz()).status === 503);
    const refused = await send();
    expect(refused).toMatchObject({ status: 503, retryAfter: '2' });
    expect(refused.ms).toBeLessThan(1_000);
    await redis.restart();
    await waitUntil(async () => (await send()).status === 200);
    await waitUntil(async () => (await readyz()).status === 200);
  });

  it('starts without Redis, says so, and accepts callbacks once Redis is there', async () => {
    await redis.kill('SIGKILL');
    await start({ until: 'healthz' });
    expect(await readyz()).toMatchObject({
      status: 503,
      body: { ready: false, error: { code: 'not_ready' }, problems: [{ setting: 'connection' }] },
    });
    expect(await send()).toMatchObject({ status: 503, retryAfter: '2', answer: { error: { code: 'not_ready' } } });
    await redis.restart();
    await waitUntil(async () => (await send()).status === 200);
  });

  it('refuses callbacks on a Redis that would lose them, unless it is allowed to', async () => {
    const forgetful = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] });
    try {
      await start({ environment: { REDIS_URL: forgetful.url }, until: 'healthz' });
      const cli = `redis-cli -p ${forgetful.port}`;
      const message = `appendonly is no: ${cli} config set appendonly yes; maxmemory-policy is allkeys-lru: ${cli} config set maxmemory-policy noeviction`;
      await waitUntil(async () => JSON.stringify(await readyz()).includes('appendonly'));
      expect(await readyz()).toMatchObject({ status: 503, body: { error: { code: 'not_ready', message } } });
      expect(await send()).toMatchObject({ status: 503, answer: { error: { code: 'not_ready', message } } });
      await receiver?.stop();

      await start({ environment: { REDIS_URL: forgetful.url, DURABILITY: 'unsafe' } });
      expect(await readyz()).toMatchObject({ status: 200, body: { durability: 'none' } });
      expect(await send()).toMatchObject({ status: 200 });
    } finally {
      await receiver?.stop();
      await forgetful.stop();
    }
  });
});

describe('a start', () => {
  it('without a credential is refused, and says what to do', async () => {
    const refused = startProgram({ args: [MAIN], env: { PORT: '0' }, readyOutput: /listening/ });
    await expect(refused).rejects.toThrow(
      'CALLBACK_AUTH is empty; set at least one credential, or CALLBACK_AUTH=none to accept any callback',
    );
  });

  it('with a malformed credential is refused without showing it', async () => {
    const environment = { CALLBACK_AUTH: 'query:fine,canary' };
    const error: Error = await startProgram({ args: [MAIN], env: environment, readyOutput: /listening/ }).then(
      () => new Error('it started'),
      (refused) => refused,
    );
    expect(error.message).toContain('CALLBACK_AUTH entry 2 has an unknown kind');
    expect(error.message).not.toContain('canary');
  });
});

describe('a stop', () => {
  it('by SIGTERM under load loses nothing that was acknowledged', async () => {
    const program = await start();
    const sender = createSender({ url: `${url}/client-callback/one-api-reply?token=s3cret`, tries: 1 });
    const acknowledged: string[] = [];
    const stopSending = new AbortController();
    function* callbacks() {
      while (!stopSending.signal.aborted) yield JSON.stringify(sampleCallback('moText'));
    }
    const sending = sender.sendMany(callbacks(), {
      connections: 32,
      signal: stopSending.signal,
      onResult: ({ accepted }, text) => {
        if (accepted) acknowledged.push(text as string);
      },
    });
    await waitUntil(() => acknowledged.length > 500);
    const startedAt = fairNow();
    const ended = await program.stop('SIGTERM');
    stopSending.abort();
    const report = await sending;
    await sender.close();

    expect(ended).toEqual({ code: 0, signal: null });
    expect(fairNow() - startedAt).toBeLessThan(10_000);
    expect(Object.keys(report.statuses).filter((status) => !['200', '503', '0'].includes(status))).toEqual([]);
    const stored = await committed();
    expect(acknowledged.filter((text) => !stored.has(text))).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends with 0', async (signal) => {
    const program = await start();
    expect(await program.stop(signal)).toEqual({ code: 0, signal: null });
  });

  it('follows the end of the process that started it', async () => {
    const program = await start();
    program.disconnect();
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('does not wait for a Redis that does not answer, nor for a sender that does not end', async () => {
    const program = await start();
    await redis.kill('SIGSTOP');
    try {
      const endless = request(`${url}/client-callback/one-api-reply?token=s3cret`, {
        method: 'POST',
        headers: { 'content-length': '100' },
        body: new Readable({ read() {} }),
      }).catch(() => 'cut');
      const startedAt = fairNow();
      expect(await program.stop('SIGTERM', 60_000)).toEqual({ code: 0, signal: null });
      expect(fairNow() - startedAt).toBeLessThan(20_000);
      expect(await endless).toBe('cut');
    } finally {
      await redis.kill('SIGCONT');
    }
  });
});
