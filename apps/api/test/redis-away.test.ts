import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('while Redis', () => {
  it('does not answer, the API says so in time, and works again once it answers', async () => {
    await get('/v1/status');
    await api.redis.kill('SIGSTOP');
    try {
      const startedAt = fairNow();
      const answers = await Promise.all([
        get('/v1/events'),
        get('/v1/status'),
        get('/v1/destinations'),
        get('/v1/dead-letters'),
        get('/v1/quarantine'),
        api.call('PUT', '/v1/destinations/crm', { type: 'pull' }),
      ]);
      expect(fairNow() - startedAt).toBeLessThan(4_500);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 503, body: { error: { code: 'queue_unavailable' } } });
      }
      expect((await api.call('GET', '/healthz', undefined, {})).status).toBe(200);
    } finally {
      await api.redis.kill('SIGCONT');
    }
    await waitUntil(async () => (await get('/v1/status')).status === 200);
  });

  it('is down, the API says so at once, and works again once it is back', async () => {
    await api.redis.kill('SIGKILL');
    const startedAt = fairNow();
    expect(await get('/v1/events')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '2' },
      body: { error: { code: 'queue_unavailable' } },
    });
    expect(fairNow() - startedAt).toBeLessThan(4_000);
    await api.redis.restart();
    await waitUntil(async () => (await get('/v1/events')).status === 200);
  });
});
