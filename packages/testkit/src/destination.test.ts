import { expect, test } from 'vitest';
import { startDestination } from './destination.ts';

test('a destination records requests and answers as told', async () => {
  const destination = await startDestination({
    answer: (_, index) =>
      index === 0 ? 503 : { status: 201, headers: { 'x-seen': 'yes' }, body: 'done', delayMs: 30 },
  });
  try {
    const url = `${destination.url}hook?a=1`;
    expect((await fetch(url, { method: 'POST', body: '{"n":1}', headers: { 'webhook-id': 'evt_1' } })).status).toBe(
      503,
    );
    const startedAt = performance.now();
    const second = await fetch(url, { method: 'POST', body: 'two' });
    expect([second.status, second.headers.get('x-seen'), await second.text()]).toEqual([201, 'yes', 'done']);
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    const requests = await destination.waitFor(2);
    expect(requests.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
      { method: 'POST', path: '/hook?a=1', body: '{"n":1}' },
      { method: 'POST', path: '/hook?a=1', body: 'two' },
    ]);
    expect(requests[0]?.headers['webhook-id']).toBe('evt_1');
    destination.answerWith('reset');
    await expect(fetch(url)).rejects.toThrow();
    destination.answerWith('hang');
    await expect(fetch(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
    await expect(destination.waitFor(5, 20)).rejects.toThrow('the destination got 4 of 5 requests in 20 ms');
  } finally {
    await destination.close();
  }
});

test('a destination answers with bytes that are no text', async () => {
  const bytes = new Uint8Array([0xff, 0xd8, 0xff, 0x00, 0x80]);
  const destination = await startDestination({ answer: () => ({ status: 200, body: bytes }) });
  try {
    expect(new Uint8Array(await (await fetch(destination.url)).arrayBuffer())).toEqual(bytes);
  } finally {
    await destination.close();
  }
});
