import type { LoggedEvent } from '@clickrelay/core';
import { createMessageIndex, holdDestination, putDestination, quarantineCallback } from '@clickrelay/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, endDelivery, logEvent, startApi } from './start-api.ts';

let api: Api;
const letters: string[] = [];
let text: LoggedEvent;
let status: LoggedEvent;
beforeAll(async () => {
  api = await startApi();
  expect((await api.call('GET', '/v1/overview')).body).toMatchObject({ healthy: true, needs: [], lastEventAt: null });
  text = await logEvent(api.store, 'moText', { channel: 'whatsapp', from: '27999123401', clientMessageId: 'ours-1' });
  status = await logEvent(api.store, 'messageStatusUpdate', {
    channel: 'sms',
    statusCode: 3,
    status: 'DELIVERED_TO_GATEWAY',
  });
  await createMessageIndex(api.store).add([text.event, status.event]);
  for (const one of [text, status]) letters.push(await endDelivery(api, one, 'bot', 'dead_letter'));
  await putDestination(api.store, { id: 'slow', type: 'pull', events: ['moMedia'], paused: null, config: {} });
});
afterAll(() => api.stop());

const find = async (what: string) => (await api.call('POST', '/v1/find', { text: what })).body;

describe('the overview', () => {
  it('says what needs somebody, the worst first', async () => {
    await holdDestination(api.store, 'slow', { reason: 'failing', until: Date.parse('2099-01-01T00:00:00.000Z') });
    await quarantineCallback(api.store, {
      body: Buffer.from('{'),
      reason: 'x',
      receivedAt: '2026-03-01T00:00:00.000Z',
    });
    const { body } = await api.call('GET', '/v1/overview');
    expect(body).toMatchObject({
      healthy: false,
      needs: [
        { kind: 'failing', destinationId: 'slow', count: 0, detail: 'tried again at 2099-01-01T00:00:00.000Z' },
        { kind: 'dead_letters', destinationId: 'bot', count: 2 },
        { kind: 'quarantined', destinationId: null, count: 1 },
      ],
      lastEventAt: status.event.receivedAt,
      ingest: { messages: 0, statuses: 0 },
      quarantined: 1,
      destinations: [
        { id: 'bot', type: 'pull', state: 'active', until: null, waiting: 0, deadLetters: 2 },
        { id: 'slow', type: 'pull', state: 'failing', until: '2099-01-01T00:00:00.000Z', waiting: 0, deadLetters: 0 },
      ],
    });
    await api.call('POST', '/v1/destinations/slow/pause', { reason: 'by hand' });
    expect((await api.call('GET', '/v1/overview')).body.needs[0]).toEqual({
      kind: 'paused',
      destinationId: 'slow',
      count: 0,
      detail: 'by hand',
    });
  });
});

describe('find', () => {
  it('goes to what an id belongs to', async () => {
    expect(await find(` ${text.event.id} `)).toEqual({
      hits: [{ kind: 'event', id: text.event.id }],
      events: [],
      complete: true,
    });
    expect((await find(letters[0] as string)).hits).toEqual([{ kind: 'delivery', id: letters[0] }]);
    expect((await find('bot')).hits).toEqual([{ kind: 'destination', id: 'bot' }]);
    const message = { kind: 'message', id: text.event.messageId };
    expect((await find(message.id as string)).hits).toEqual([message]);
    expect((await find('ours-1')).hits).toEqual([message]);
    for (const none of ['evt_AAAAAAAAAAAAAAAAAAAAAA', 'no such thing', 'qrt_AAAAAAAAAAAAAAAAAAAAAA', '00']) {
      expect(await find(none)).toEqual({ hits: [], events: [], complete: true });
    }
  });

  it('takes a number as people write it', async () => {
    for (const number of ['27999123401', '+27 999 123-401', '0027 (999) 123401']) {
      const found = await find(number);
      expect([number, found.hits]).toEqual([number, [{ kind: 'event', id: text.event.id }]]);
      expect(found.events[0]).toMatchObject({ from: '27999123401' });
    }
    expect((await find('27999123499')).hits).toEqual([]);
    const { body } = await api.call('POST', '/v1/keys', { name: 'x', scopes: ['read'] });
    const as = { authorization: `Bearer ${body.key}` };
    const masked = (await api.call('POST', '/v1/find', { text: '27999123401' }, as)).body;
    expect(masked.events[0]).toMatchObject({ id: text.event.id, from: '…01', raw: '(hidden)' });
  });
});

describe('dead letters', () => {
  it('are counted by destination and cause', async () => {
    const { body } = await api.call('GET', '/v1/dead-letters/groups');
    expect(body).toEqual({
      groups: [
        {
          destinationId: 'bot',
          kind: 'refused',
          errorCode: 'destination_rejected',
          error: 'answered 500 to the last attempt',
          count: 2,
          newest: expect.any(String),
          oldest: expect.any(String),
          sample: letters[1],
        },
      ],
      counted: 2,
      next: null,
    });
    expect((await api.call('GET', '/v1/dead-letters/groups?destination=slow')).body.groups).toEqual([]);
  });
});

describe('events', () => {
  const ids = async (query: string) => {
    const { items, count } = (await api.call('GET', `/v1/events?${query}`)).body;
    return [items.map(({ id }: { id: string }) => id), count];
  };

  it('are chosen by channel and class of status, and counted', async () => {
    expect(await ids('count=estimate')).toEqual([[status.event.id, text.event.id], { events: 2, exact: true }]);
    expect(await ids('channel=SMS&count=estimate')).toEqual([[status.event.id], { events: 1, exact: true }]);
    expect(await ids(`class=${status.event.data['class']}`)).toEqual([[status.event.id], undefined]);
    expect(await ids('class=failed')).toEqual([[], undefined]);
    expect(await ids('until=2020-01-01T00:00:00Z&count=estimate')).toEqual([[], { events: 0, exact: true }]);
  });

  it('say who did not want them, and why', async () => {
    const { unwanted } = (await api.call('GET', `/v1/events/${text.event.id}`)).body;
    const detail = 'wants moMedia; this is moText';
    expect(unwanted).toEqual([{ destinationId: 'slow', rule: 'events', passed: false, detail }]);
  });
});
