import { ingestQueue, quarantineCallback } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('quarantine', () => {
  const put = (body: string | Buffer) =>
    quarantineCallback(api.store, {
      body: Buffer.from(body),
      reason: 'callback must be JSON',
      receivedAt: '2026-03-01T12:00:00.000Z',
    });

  it('is listed, read byte for byte, and removed', async () => {
    const bytes = Buffer.from([0x68, 0x69, 0xff]);
    const id = await put(bytes);
    const entry = { id, receivedAt: '2026-03-01T12:00:00.000Z', reason: 'callback must be JSON', bytes: 3 };
    expect((await get('/v1/quarantine')).body).toEqual({ items: [entry], next: null });
    expect((await get(`/v1/quarantine/${id}`)).body).toEqual({
      ...entry,
      body: { text: 'hi\ufffd', base64: bytes.toString('base64') },
    });
    expect((await api.call('DELETE', `/v1/quarantine/${id}`)).status).toBe(204);
    expect((await api.call('DELETE', `/v1/quarantine/${id}`)).status).toBe(404);
    expect((await get(`/v1/quarantine/${id}`)).status).toBe(404);
  });

  it('releases a body that can be parsed by now', async () => {
    const before = await api.store.queue(ingestQueue('messages')).getWaitingCount();
    const id = await put('{"event":{"moText":[{"messageId":"a"},{"messageId":"b"}]}}');
    expect(await api.call('POST', `/v1/quarantine/${id}/reparse`)).toMatchObject({
      status: 200,
      body: { accepted: 2 },
    });
    expect(await api.store.queue(ingestQueue('messages')).getWaitingCount()).toBe(before + 1);
    expect((await api.call('POST', `/v1/quarantine/${id}/reparse`)).status).toBe(404);
  });

  it('keeps a body that still cannot be parsed', async () => {
    const id = await put('still not JSON');
    expect(await api.call('POST', `/v1/quarantine/${id}/reparse`)).toMatchObject({
      status: 422,
      body: { error: { code: 'invalid_callback' } },
    });
    expect((await get(`/v1/quarantine/${id}`)).body.body.text).toBe('still not JSON');
  });
});
