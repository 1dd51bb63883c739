import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_KEY, type Api, logEvent, startApi } from './start-api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const open = async (headers: Record<string, string> = {}) => {
  const stop = new AbortController();
  const authorization = `Bearer ${API_KEY}`;
  const response = await fetch(`${api.url}/v1/stream`, { headers: { authorization, ...headers }, signal: stop.signal });
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  const close = async () => {
    stop.abort();
    await reading;
  };
  return { response, read: () => text, close, lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '' };
};
const idsIn = (text: string): string[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data).id);

it('sends events as they come in, masked, and continues where it was cut off', async () => {
  await logEvent(api.store);
  const first = await open();
  expect(Object.fromEntries(first.response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  await waitUntil(() => first.lastId() !== '');
  const { event } = await logEvent(api.store, 'moText', { content: 'cAnArY' });
  await waitUntil(() => idsIn(first.read()).length > 0);
  expect(idsIn(first.read())).toEqual([event.id]);
  expect(first.read()).not.toContain('cAnArY');
  const place = first.lastId();
  await first.close();

  const missed = [await logEvent(api.store), await logEvent(api.store)].map((logged) => logged.event.id);
  const second = await open({ 'last-event-id': place });
  await waitUntil(() => idsIn(second.read()).length >= 2);
  expect(idsIn(second.read())).toEqual(missed);
  await second.close();
});

it('can be open only so many times, and closes with its reader', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => open()));
  expect((await open()).response.status).toBe(429);
  for (const one of all) await one.close();
  await waitUntil(async () => {
    const again = await open();
    await again.close();
    return again.response.status === 200;
  });
});
