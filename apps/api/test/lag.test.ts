import { createLagCounts, createRefusalCounter } from '@clickrelay/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, startApi } from './start-api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const lag = async (query = '') => (await api.call('GET', `/v1/lag${query}`)).body;

it("Clickatell's own lag is shown by the hour, and hours with refusals of ours are marked and left out", async () => {
  const empty = await lag();
  expect(empty).toMatchObject({ rows: [], boundsSeconds: [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600] });
  expect(empty.hours).toHaveLength(24);
  const counts = createLagCounts(api.store, {
    onError: (error) => {
      throw error;
    },
  });
  const event = { type: 'moText', channel: 'whatsapp', data: {}, receivedAt: '2026-03-01T12:00:00.000Z' };
  counts.add('messages', { ...event, occurredAt: '2026-03-01T11:58:00.000Z' });
  counts.add('messages', { ...event, occurredAt: null });
  await counts.stop();
  const row = {
    lane: 'messages',
    channel: 'whatsapp',
    class: null,
    events: 1,
    early: 0,
    unusable: 1,
    medianMs: 300_000,
    p95Ms: 300_000,
    counts: [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
  };
  expect((await lag('?hours=2')).rows).toEqual([row]);
  const refusals = createRefusalCounter();
  refusals.count({ status: 503, code: 'queue_unavailable' });
  await refusals.write(api.store);
  const { rows, hours } = await lag('?hours=2');
  expect(rows).toEqual([]);
  const lanes = {
    messages: { events: 1, medianMs: 300_000, p95Ms: 300_000 },
    statuses: { events: 0, medianMs: null, p95Ms: null },
  };
  expect(hours).toContainEqual({ at: expect.any(String), ours: true, rows: [row], lanes });
  expect((await api.call('GET', '/v1/lag?hours=169')).status).toBe(400);
});
