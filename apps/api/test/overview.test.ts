import type { LoggedEvent } from '@clickrelay/core';
import {
  createMessageIndex,
  createRefusalCounter,
  enqueueDeliveries,
  holdDestination,
  putDestination,
  quarantineCallback,
} from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, endDelivery, logEvent, startApi } from './start-api.ts';

let api: Api;
const letters: string[] = [];
let text: LoggedEvent;
let status: LoggedEvent;
beforeAll(async () => {
  api = await startApi();
  expect((await api.call('GET', '/v1/overview')).body).toMatchObject({ lastEventAt: null });
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
  it('says what needs attention, the worst first, and how each destination does', async () => {
    await holdDestination(api.store, 'slow', { reason: 'failing', until: Date.parse('2099-01-01T00:00:00.000Z') });
    await quarantineCallback(api.store, {
      body: Buffer.from('{'),
      reason: 'x',
      receivedAt: '2026-03-01T00:00:00.000Z',
    });
    await api.health.look();
    const { body } = await api.call('GET', '/v1/overview');
    expect(body).toMatchObject({
      healthy: false,
      lastEventAt: status.event.receivedAt,
      ingest: { messages: 0, statuses: 0 },
      quarantined: 1,
      destinations: [
        { id: 'bot', state: 'active', until: null, waiting: 0, oldestAt: null, paused: null, deadLetters: 2 },
        { id: 'slow', state: 'failing', until: '2099-01-01T00:00:00.000Z', waiting: 0, deadLetters: 0 },
      ],
    });
    const needs = body.needs.map(({ code, subject }: { code: string; subject: { id: string | null } }) => [
      code,
      subject.id,
    ]);
    for (const one of [
      ['destination_failing', 'slow'],
      ['dead_letters', 'bot'],
      ['quarantine', null],
    ]) {
      expect(needs).toContainEqual(one);
    }
    const severities = body.needs.map(({ severity }: { severity: string }) => severity);
    expect(severities).toEqual([...severities].sort());
  });
});

describe('find', () => {
  it('finds what an id belongs to', async () => {
    expect(await find(` ${text.event.id} `)).toEqual({
      recognised: 'event_id',
      party: null,
      hits: [{ kind: 'event', id: text.event.id }],
      events: [],
      complete: true,
    });
    expect((await find(letters[0] as string)).hits).toEqual([{ kind: 'delivery', id: letters[0] }]);
    expect((await find('bot')).hits).toEqual([{ kind: 'destination', id: 'bot' }]);
    const message = { kind: 'message', id: text.event.messageId };
    expect((await find(message.id as string)).hits).toEqual([message]);
    expect((await find('ours-1')).hits).toEqual([message]);
    const recognised = async (what: string) => (await find(what)).recognised;
    expect(await recognised(letters[0] as string)).toBe('delivery_id');
    expect(await recognised('bot')).toBe('destination_id');
    expect(await recognised(message.id as string)).toBe('message_id');
    expect(await recognised('ours-1')).toBe('client_message_id');
    for (const [none, name] of [
      ['evt_AAAAAAAAAAAAAAAAAAAAAA', 'event_id'],
      ['no such thing', null],
      ['qrt_AAAAAAAAAAAAAAAAAAAAAA', 'quarantine_id'],
      ['00', null],
    ] as const) {
      expect(await find(none)).toEqual({ recognised: name, party: null, hits: [], events: [], complete: true });
    }
  });

  it('takes a phone number as people write it', async () => {
    for (const number of ['27999123401', '+27 999 123-401', '0027 (999) 123401']) {
      const found = await find(number);
      expect([number, found.hits]).toEqual([number, [{ kind: 'event', id: text.event.id }]]);
      expect(found.events[0]).toMatchObject({ from: '27999123401' });
    }
    expect(await find('27999123499')).toMatchObject({ recognised: 'phone_number', hits: [], events: [] });
    const { body } = await api.call('POST', '/v1/keys', { name: 'x', scopes: ['read'] });
    const as = { authorization: `Bearer ${body.key}` };
    const masked = (await api.call('POST', '/v1/find', { text: '27999123401' }, as)).body;
    expect(masked.events[0]).toMatchObject({ id: text.event.id, from: '…01', raw: '(hidden)' });
  });
});

describe('a phone number', () => {
  it('is its keyed hash in URLs, which finds its events page by page', async () => {
    const { party } = await find('+27 999 123 401');
    expect([party, (await find('27999123401')).party]).toEqual([expect.stringMatching(/^pty_[\w-]{22}$/), party]);
    expect((await find('27999123499')).party).not.toBe(party);
    const listed = await api.call('GET', `/v1/events?party=${party}`);
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual([text.event.id]);
    expect((await api.call('GET', '/v1/events?party=27999123401')).status).toBe(400);
  });
});

describe('the pending deliveries of a destination', () => {
  it('are listed in the order of their next attempt, page by page', async () => {
    const own = await startApi();
    await putDestination(own.store, { id: 'later', type: 'pull', events: [], paused: null, config: {} });
    const eventIds: string[] = [];
    for (const [index, one] of [text, status, text, status, text].entries()) {
      const logged = await logEvent(own.store, one.event.type, { messageId: `later-${index}` });
      eventIds.push(logged.event.id);
      const isSecond = index === 1;
      await enqueueDeliveries(own.store, 'later', [
        { eventId: logged.event.id, isSecond, ...(index === 2 && { delayMs: 60_000 }) },
      ]);
    }
    const [a, behind, delayed, b, c] = eventIds;
    const listed: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const path = `/v1/deliveries?order=next&destination=later&limit=2${next && `&cursor=${next}`}`;
      const { status: answered, body } = await own.call('GET', path);
      expect([answered, body.items.length <= 2]).toEqual([200, true]);
      listed.push(...body.items.map(({ eventId }: { eventId: string }) => eventId));
      next = body.next;
    }
    expect(listed).toEqual([a, b, c, behind, delayed]);
    const [first] = (await own.call('GET', '/v1/deliveries?order=next&destination=later&limit=1')).body.items;
    expect(first).toMatchObject({ destinationId: 'later', state: 'pending', eventType: text.event.type, attempts: 0 });
    expect((await own.call('GET', '/v1/deliveries?order=next&destination=nowhere')).status).toBe(404);
    const { destinations } = (await own.call('GET', '/v1/overview')).body;
    const later = destinations.find(({ id }: { id: string }) => id === 'later');
    expect(later).toMatchObject({ waiting: 5, oldestAt: expect.any(String) });
    await own.stop();
  });
});

describe('dead letters', () => {
  it('show when their callbacks came, and what the destination answered', async () => {
    const [letter] = (await api.call('GET', '/v1/dead-letters?limit=1')).body.items;
    expect(letter).toMatchObject({ status: 500, receivedAt: '2026-03-01T12:00:00.000Z' });
  });

  it('can be counted by destination and cause', async () => {
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

  it('can be chosen by channel and status class, and counted', async () => {
    expect(await ids('count=estimate')).toEqual([[status.event.id, text.event.id], { events: 2, exact: true }]);
    expect(await ids('channel=SMS&count=estimate')).toEqual([[status.event.id], { events: 1, exact: true }]);
    expect(await ids(`class=${status.event.data['class']}`)).toEqual([[status.event.id], undefined]);
    expect(await ids('class=failed')).toEqual([[], undefined]);
    expect(await ids('until=2020-01-01T00:00:00Z&count=estimate')).toEqual([[], { events: 0, exact: true }]);
  });

  it('show the state of their deliveries, in a list and in a message', async () => {
    const { items } = (await api.call('GET', '/v1/events?include=deliveries&reveal=false&until=2099-01-01T00:00:00Z'))
      .body;
    const dead = { destinationId: 'bot', state: 'dead_letter', attempts: 1, nextAttemptAt: null };
    expect(items.find(({ id }: { id: string }) => id === text.event.id).deliveries).toEqual([dead]);
    expect((await api.call('GET', '/v1/events')).body.items[0].deliveries).toBeUndefined();
    const { became } = (await api.call('GET', `/v1/messages/${text.event.messageId}`)).body;
    expect(became).toContainEqual({ eventId: text.event.id, repeats: 0, deliveries: [dead] });
  });

  it('name the destinations that did not want them, and why', async () => {
    const { unwanted } = (await api.call('GET', `/v1/events/${text.event.id}`)).body;
    const detail = 'wants moMedia; this is moText';
    expect(unwanted).toEqual([{ destinationId: 'slow', rule: 'events', passed: false, detail }]);
  });
});

describe('the figures of a destination', () => {
  const hoursOf = async (id: string, query = '') =>
    (await api.call('GET', `/v1/destinations/${id}/hours${query}`)).body;

  it('show how leases ended, by the hour and over a day', async () => {
    await api.call('PUT', '/v1/destinations/figured', { type: 'pull', events: ['moMedia'] });
    const zeros = { delivered: 0, failed: 0, firstTry: 0, deadLetters: 0, p50Ms: null, p95Ms: null };
    const nothing = { ...zeros, deliveredShare: null, firstTryShare: null };
    expect((await hoursOf('figured')).sum).toEqual(nothing);
    const events = [await logEvent(api.store), await logEvent(api.store)];
    await enqueueDeliveries(
      api.store,
      'figured',
      events.map(({ event }) => ({ eventId: event.id })),
    );
    const lease = async () => {
      const { body } = await api.call('POST', '/v1/destinations/figured/lease', { waitMs: 20_000 });
      const [{ deliveryId, leaseToken }] = body.deliveries;
      return { deliveryId, leaseToken };
    };
    await api.call('POST', '/v1/destinations/figured/ack', await lease());
    await api.call('POST', '/v1/destinations/figured/nack', { ...(await lease()), retry: false });
    const letter = `dlv_figured_${events[1]?.event.id.slice(4)}`;
    await api.call('POST', `/v1/deliveries/${letter}/replay`);
    await api.call('POST', '/v1/destinations/figured/ack', await lease());
    const { sum, items } = await waitUntil(async () => {
      const hours = await hoursOf('figured');
      return hours.sum.delivered + hours.sum.failed === 3 && hours;
    });
    // A replay does not count as a first attempt.
    expect(sum).toMatchObject({ delivered: 2, failed: 1, firstTry: 1, deadLetters: 1 });
    expect(sum).toMatchObject({ deliveredShare: 2 / 3, firstTryShare: 1 / 2 });
    expect(sum.p50Ms).toBeGreaterThan(0);
    expect(sum.p95Ms).toBeGreaterThanOrEqual(sum.p50Ms);
    expect(items).toHaveLength(24);
    expect(Date.parse(items[23].at)).toBeGreaterThan(Date.now() - 3_600_000);
    expect(items[0]).toEqual({ at: expect.any(String), ...zeros });
    const { body } = await api.call('GET', '/v1/overview');
    expect(body.destinations.find(({ id }: { id: string }) => id === 'figured').last24h).toEqual(sum);
    expect((await hoursOf('figured', '?hours=168')).items).toHaveLength(168);
    const together = (await api.call('GET', '/v1/hours?hours=24')).body;
    expect(together.destinations.find(({ id }: { id: string }) => id === 'figured')).toEqual({ id: 'figured', items });
    expect(together.items.map(({ at }: { at: string }) => at)).toEqual(items.map(({ at }: { at: string }) => at));
    expect(together.items[23].deadLetters).toBeGreaterThanOrEqual(1);
  });

  it('exist only for known destinations, and for seven days at most', async () => {
    expect((await api.call('GET', '/v1/destinations/none/hours')).status).toBe(404);
    expect((await api.call('GET', '/v1/destinations/bot/hours?hours=169')).status).toBe(400);
  });
});

describe('the callbacks that receivers refused', () => {
  it('are shown by the minute beside the intake, and summed up in the overview', async () => {
    const none = {
      noCredential: 0,
      wrongCredential: 0,
      forbidden: 0,
      tooLarge: 0,
      unprocessable: 0,
      rateLimited: 0,
      unavailable: 0,
    };
    const { body: before } = await api.call('GET', '/v1/overview');
    expect(before.refused).toEqual({ lastMinute: none, last24h: none });
    const counter = createRefusalCounter();
    for (const code of ['missing_credential', 'missing_credential', 'wrong_credential'])
      counter.count({ status: 401, code });
    counter.count({ status: 413, code: 'callback_too_large' });
    await counter.write(api.store);
    const { body } = await api.call('GET', '/v1/overview');
    expect(body.refused.last24h).toEqual({ ...none, noCredential: 2, wrongCredential: 1, tooLarge: 1 });
    const minute = Math.floor(Date.now() / 60_000) - 1;
    const hash = `cr:{registry}:refused:h${Math.floor(minute / 60)}`;
    await api.store.redis.hset(hash, `${minute % 60}:401`, 7);
    const { items } = (await api.call('GET', '/v1/intake')).body;
    const refused = (items as { refused: typeof none }[]).map((item) => item.refused);
    expect(refused).toContainEqual({ ...none, noCredential: 7 });
    const { lastMinute } = (await api.call('GET', '/v1/overview')).body.refused;
    // In the next minute, if one has just ended.
    expect([{ ...none, noCredential: 7 }, body.refused.last24h]).toContainEqual(lastMinute);
  });
});
