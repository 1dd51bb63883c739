import type { LoggedEvent } from '@clickrelay/core';
import { createMessageIndex } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;
const ids = (events: readonly LoggedEvent[]) => events.map(({ event }) => event.id);

describe('a message', () => {
  const logMessage = async (type: string, overrides: Record<string, unknown>) => {
    const logged = await logEvent(api.store, type, overrides);
    await createMessageIndex(api.store).add([logged.event]);
    return logged;
  };
  const status = (statusCode: number, name: string, second: number) =>
    logMessage('messageStatusUpdate', {
      messageId: 'sent/1',
      clientMessageId: 'order 7',
      statusCode,
      status: name,
      timestamp: Date.parse('2026-03-01T11:00:00Z') + second * 1_000,
    });

  it('is shown with its statuses in order of their own time, its current status, and the replies', async () => {
    const read = await status(6, 'READ', 3);
    const delivered = await status(5, 'DEVICE_ACK', 2);
    const reply = await logMessage('moText', { relatedMessageId: 'sent/1' });
    const { status: code, body } = await get('/v1/messages/sent%2F1');
    expect(code).toBe(200);
    expect(body).toMatchObject({
      messageId: 'sent/1',
      clientMessageId: 'order 7',
      current: { id: read.event.id, name: 'READ', class: 'read', final: true },
      statusCount: 2,
      received: [],
      replyCount: 1,
      complete: true,
    });
    expect(body.statuses.map(({ id }: { id: string }) => id)).toEqual(ids([delivered, read]));
    expect(body.replies).toEqual([reply.event]);
    expect((await get('/v1/messages?clientMessageId=order+7')).body).toEqual({ items: [body], next: null });
    expect((await get(`/v1/messages/${reply.event.messageId}`)).body).toMatchObject({
      current: null,
      received: [reply.event],
    });
  });

  it('that is unknown is not found', async () => {
    expect((await get('/v1/messages/none')).status).toBe(404);
    expect((await get('/v1/messages?clientMessageId=none')).body).toEqual({ items: [], next: null });
    expect((await get('/v1/messages')).status).toBe(400);
  });

  it('is found again after the index was lost', async () => {
    const before = (await get('/v1/messages/sent%2F1')).body;
    for (const key of await api.store.redis.keys('cr:{e??}:m:??')) await api.store.redis.del(key);
    expect((await get('/v1/messages/sent%2F1')).status).toBe(404);
    let next: string | null = '';
    while (next !== null) {
      next = (await api.call('POST', `/v1/messages/reindex?limit=3${next && `&cursor=${next}`}`)).body.next;
    }
    expect((await get('/v1/messages/sent%2F1')).body).toEqual(before);
  });
});
