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

  const many = (what: string, body: object) => api.call('POST', `/v1/quarantine/${what}`, body);

  it('is parsed again in parts: counted first, then let in what can be read, and the rest stays', async () => {
    await many('remove', {});
    const readable = await Promise.all(
      ['c', 'd', 'e'].map((id) => put(`{"event":{"moText":[{"messageId":"${id}"}]}}`)),
    );
    for (const text of ['[', ']']) await put(text);
    const [first, ...others] = readable;
    const chosen = { except: [first] };
    const plan = await many('reparse', { ...chosen, dryRun: true });
    expect(plan.body).toMatchObject({ matched: 4, parsed: 2, accepted: 2, unreadable: 2, after: null });
    expect((await get('/v1/quarantine')).body.items).toHaveLength(5);
    const done = { parsed: 0, unreadable: 0 };
    for (let after: number | null = 0; after !== null; ) {
      const { status, body } = await many('reparse', { ...chosen, until: plan.body.until, limit: 1, after });
      expect(status).toBe(200);
      done.parsed += body.parsed;
      done.unreadable += body.unreadable;
      after = body.after;
    }
    expect(done).toEqual({ parsed: 2, unreadable: 2 });
    const left = (await get('/v1/quarantine')).body.items.map(({ id }: { id: string }) => id);
    expect(left).toHaveLength(3);
    expect(left).toContain(first);
    for (const id of others) expect(left).not.toContain(id);
    expect((await get('/v1/audit?action=quarantine.')).body.items[0]).toMatchObject({
      action: 'quarantine.parsed',
      target: '*',
      detail: { except: 1, parsed: 1 },
    });
  });

  it('is deleted by selection with a reason, a part at a time, and only as many as were expected', async () => {
    await many('remove', {});
    for (const text of ['1', '2', '3']) await put(text);
    const plan = (await many('remove', { reason: 'callback must be JSON', dryRun: true })).body;
    expect([plan.matched, plan.bytes, plan.removed, plan.left]).toEqual([3, 3, 0, 3]);
    expect((await many('remove', { reason: 'another', dryRun: true })).body.matched).toBe(0);
    const refused = await many('remove', { expected: 2 });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'unexpected_count']);
    const part = await many('remove', { expected: 3, limit: 2, until: plan.until, why: 'sent by a scanner' });
    expect(part.body).toMatchObject({ removed: 2, left: 1 });
    expect((await many('remove', { expected: 1, until: plan.until })).body).toMatchObject({ removed: 1, left: 0 });
    const entries = (await get('/v1/audit?action=quarantine.removed_many')).body.items;
    expect(entries[1].detail).toEqual({ removed: 2, why: 'sent by a scanner' });
  });
});
