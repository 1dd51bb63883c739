import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import {
  createMessageIndex,
  destinationQueue,
  enqueueDeliveries,
  ingestQueue,
  quarantineCallback,
  readDestination,
} from '@clickrelay/queue';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../src/app.ts';
import { API_KEY, type Api, endDelivery, logEvent, startApi } from './start-api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const get = (path: string) => api.call('GET', path);
const ids = (events: readonly LoggedEvent[]) => events.map(({ event }) => event.id);

describe('the key', () => {
  it.each([
    ['none', {}],
    ['another', { authorization: 'Bearer not-the-key-of-this-api' }],
    ['a part of it', { authorization: `Bearer ${API_KEY.slice(0, -1)}` }],
    ['by another scheme', { authorization: `Basic ${API_KEY}` }],
    ['in the query', {}],
  ])('%s: 401, for what exists and for what does not', async (_, headers) => {
    for (const path of ['/v1/status', '/v1/openapi.json', `/v1/events?key=${API_KEY}`, '/nowhere']) {
      expect(await api.call('GET', path, undefined, headers)).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
        body: { error: { code: 'unauthorized' } },
      });
    }
  });

  it('is not asked for by /healthz', async () => {
    expect(await api.call('GET', '/healthz', undefined, {})).toMatchObject({ status: 200, body: { status: 'up' } });
  });
});

describe('a request that does not fit', () => {
  it.each([
    ['/v1/events?limit=0', 'limit'],
    ['/v1/events?limit=501', 'limit'],
    ['/v1/events?limit=many', 'limit'],
    ['/v1/events?order=sideways', 'order'],
    ['/v1/events?since=yesterday', 'since'],
    ['/v1/dead-letters?destination=No+Such', 'destination'],
    ['/v1/dead-letters?kind=lost', 'kind'],
  ])('%s: 400 with the parameter', async (path, name) => {
    const { status, body } = await get(path);
    expect([status, body.error.code]).toEqual([400, 'invalid_request']);
    expect(body.error.issues).toEqual([{ path: name, message: expect.any(String) }]);
  });

  it('is told so: a path that is none, a method that it does not take', async () => {
    expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await api.call('DELETE', '/v1/events')).toMatchObject({
      status: 405,
      body: { error: { code: 'method_not_allowed' } },
    });
  });

  it.each([
    ['no JSON', '{', 400],
    ['no body at all', undefined, 400],
    ['a body that is too large', `"${'x'.repeat(300_000)}"`, 413],
  ])('%s', async (_, body, status) => {
    expect((await api.call('PUT', '/v1/destinations/crm', body)).status).toBe(status);
  });
});

describe('events', () => {
  const logged: LoggedEvent[] = [];
  let from: string;
  beforeAll(async () => {
    from = new Date(Date.now() - 1).toISOString();
    for (let n = 0; n < 4; n++) logged.push(await logEvent(api.store, 'moText', { content: `text ${n}` }));
    logged.push(await logEvent(api.store, 'messageStatusUpdate'));
  });
  const recent = (query: string) => get(`/v1/events?since=${from}&${query}`);

  it('are listed newest first, a page at a time', async () => {
    const first = (await recent('limit=2')).body;
    const second = (await recent(`limit=2&cursor=${first.next}`)).body;
    const third = (await recent(`limit=2&cursor=${second.next}`)).body;
    const listed = [first, second, third].flatMap((page) => page.items.map((event: { id: string }) => event.id));
    expect(listed).toEqual(ids(logged).reverse());
    expect(third.next).toBeNull();
    expect(third.items[0]).toEqual(logged[0]?.event);
  });

  it('are chosen by type', async () => {
    const types = async (list: string) =>
      (await recent(`type=${list}`)).body.items.map((event: { type: string }) => event.type);
    expect(await types('messageStatusUpdate')).toEqual(['messageStatusUpdate']);
    expect(await types('moText, messageStatusUpdate')).toHaveLength(5);
    expect(await types('mo*')).toHaveLength(4);
    expect(await types('moMedia')).toEqual([]);
  });

  it('are chosen by time', async () => {
    expect((await get(`/v1/events?until=${from}`)).body).toEqual({ items: [], next: null });
    expect((await get('/v1/events?since=2099-01-01T00:00:00Z')).body).toEqual({ items: [], next: null });
  });

  it('are followed oldest first, without a gap and without a repetition', async () => {
    const begin = (await get('/v1/events?order=asc')).body;
    expect(begin.items).toEqual([]);
    const nothing = (await get(`/v1/events?order=asc&after=${begin.next}`)).body;
    expect(nothing.items).toEqual([]);

    const fresh = [await logEvent(api.store), await logEvent(api.store), await logEvent(api.store)];
    const first = (await get(`/v1/events?order=asc&limit=2&cursor=${nothing.next}`)).body;
    const second = (await get(`/v1/events?order=asc&limit=2&cursor=${first.next}`)).body;
    const third = (await get(`/v1/events?order=asc&limit=2&cursor=${second.next}`)).body;
    expect([first, second, third].map((page) => page.items.map((event: { id: string }) => event.id))).toEqual([
      ids(fresh).slice(0, 2),
      ids(fresh).slice(2),
      [],
    ]);
  });

  it('are read one by one, with where they went', async () => {
    const one = await logEvent(api.store);
    const delivered = await endDelivery(api, one, 'crm', 'delivered');
    const { status, body } = await get(`/v1/events/${one.event.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...one.event,
      deliveries: [{ id: delivered, destinationId: 'crm', state: 'delivered', nextAttemptAt: null }],
    });
  });

  it.each(['evt_AAAAAAAAAAAAAAAAAAAAAA', 'evt_', '../status', '%2e%2e', 'x'.repeat(5000)])(
    'that are none are not found: %s',
    async (id) => {
      const { status, body } = await get(`/v1/events/${encodeURIComponent(id)}`);
      expect([status, body.error.code]).toEqual([404, 'not_found']);
      expect(body.error.message.length).toBeLessThan(200);
    },
  );
});

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

  it('is told with its statuses by their own time, where it stands, and what was answered', async () => {
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

  it('that nobody has heard of is not found', async () => {
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

describe('the ledger', () => {
  it('adds up to what was routed, and names what is unaccounted for', async () => {
    const from = new Date().toISOString();
    const [delivered, dead] = [await logEvent(api.store), await logEvent(api.store)];
    await endDelivery(api, delivered as LoggedEvent, 'ledger', 'delivered');
    await endDelivery(api, dead as LoggedEvent, 'ledger', 'dead_letter');
    const lost = await logEvent(api.store);
    const path = `/v1/ledger?from=${from}&destination=ledger`;
    const row = { id: 'ledger', accepted: 2, delivered: 1, dead: 1, pending: 0, retrying: 0, parked: 0, removed: 0 };
    expect((await get(path)).body).toEqual({
      from,
      to: expect.any(String),
      balanced: true,
      events: 3,
      unrouted: 1,
      completeSince: null,
      destinations: [{ ...row, unaccounted: 0, differing: [] }],
      upstream: { messages: 0, statuses: 0, quarantined: 0 },
      // Of whole minutes: what other tests sent lately is in it, too.
      intake: expect.objectContaining({
        messages: { callbacks: expect.any(Number), events: expect.any(Number), repeats: expect.any(Number) },
        statuses: { callbacks: expect.any(Number), events: expect.any(Number), repeats: expect.any(Number) },
      }),
      progress: 1,
      next: null,
    });
    await enqueueDeliveries(api.store, 'ledger', [{ eventId: lost.event.id }]);
    await api.store.queue(destinationQueue('ledger')).remove(lost.event.id);
    const { body } = await get(path);
    expect(body).toMatchObject({ balanced: false, destinations: [{ accepted: 3, unaccounted: 1 }] });
    const [{ deliveryId: missing }] = body.destinations[0].differing;
    expect((await api.call('POST', `/v1/deliveries/${missing}/replay`)).status).toBe(202);
    expect((await get(path)).body).toMatchObject({ balanced: true, destinations: [{ accepted: 3, pending: 1 }] });
  });

  it('is read in parts', async () => {
    const first = (await get('/v1/ledger?limit=1')).body;
    expect(first.next).not.toBeNull();
    const second = (await get(`/v1/ledger?limit=100000&cursor=${first.next}`)).body;
    expect([second.next, second.to, second.progress]).toEqual([null, first.to, 1]);
    const whole = (await get(`/v1/ledger?to=${first.to}`)).body;
    expect(first.events + second.events).toBe(whole.events);
  });
});

describe('deliveries and dead letters', () => {
  it('show every attempt, and are replayed', async () => {
    const one = await logEvent(api.store);
    const id = await endDelivery(api, one, 'shop', 'dead_letter');
    expect((await get(`/v1/deliveries/${id}`)).body).toMatchObject({
      id,
      eventId: one.event.id,
      destinationId: 'shop',
      state: 'dead_letter',
      attempts: [
        {
          number: 1,
          startedAt: '2026-03-01T12:00:01.000Z',
          durationMs: 12,
          outcome: 'dead_letter',
          status: 500,
          error: { code: 'destination_rejected', message: 'answered 500 to the last attempt' },
          response: 'oh no',
        },
      ],
      nextAttemptAt: null,
    });

    const replayed = await api.call('POST', `/v1/deliveries/${id}/replay`);
    expect(replayed).toMatchObject({ status: 202, body: { id, state: 'pending' } });
    expect(await api.call('POST', `/v1/deliveries/${id}/replay`)).toMatchObject({
      status: 409,
      body: { error: { code: 'already_pending' } },
    });
    expect((await get('/v1/dead-letters?destination=shop')).body).toEqual({ items: [], next: null });
  });

  it('that were delivered are replayed too', async () => {
    const id = await endDelivery(api, await logEvent(api.store), 'again', 'delivered');
    expect(await api.call('POST', `/v1/deliveries/${id}/replay`)).toMatchObject({
      status: 202,
      body: { state: 'pending' },
    });
  });

  it('are listed, newest first, and given up', async () => {
    const events = [await logEvent(api.store), await logEvent(api.store), await logEvent(api.store)];
    const letters: string[] = [];
    for (const one of events) letters.unshift(await endDelivery(api, one, 'dead', 'dead_letter'));
    const first = (await get('/v1/dead-letters?destination=dead&limit=2')).body;
    const second = (await get(`/v1/dead-letters?destination=dead&limit=2&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items].map(({ deliveryId }) => deliveryId)).toEqual(letters);
    expect(second).toEqual({
      items: [
        {
          deliveryId: letters[2],
          eventId: events[0]?.event.id,
          destinationId: 'dead',
          eventType: 'moText',
          errorCode: 'destination_rejected',
          kind: 'refused',
          error: 'answered 500 to the last attempt',
          status: 500,
          receivedAt: '2026-03-01T12:00:00.000Z',
          failedAt: expect.any(String),
          attempts: 1,
        },
      ],
      next: null,
    });

    expect(await api.call('DELETE', `/v1/dead-letters/${letters[2]}`)).toMatchObject({ status: 204, body: undefined });
    expect(await api.call('DELETE', `/v1/dead-letters/${letters[2]}`)).toMatchObject({ status: 404 });
    expect((await get('/v1/dead-letters?destination=dead')).body.items).toHaveLength(2);
  });

  it('that are still under way are no dead letters', async () => {
    const one = await logEvent(api.store);
    await enqueueDeliveries(api.store, 'pending', [{ eventId: one.event.id }]);
    const id = deliveryId(one.event.id, 'pending');
    expect((await api.call('DELETE', `/v1/dead-letters/${id}`)).status).toBe(404);
    expect((await get(`/v1/deliveries/${id}`)).body).toMatchObject({ state: 'pending', attempts: [] });
  });

  it.each(['dlv_none_AAAAAAAAAAAAAAAAAAAAAA', 'dlv', '%00'])('that are none are not found: %s', async (id) => {
    expect((await get(`/v1/deliveries/${id}`)).status).toBe(404);
    expect((await api.call('POST', `/v1/deliveries/${id}/replay`)).status).toBe(404);
    expect((await api.call('DELETE', `/v1/dead-letters/${id}`)).status).toBe(404);
  });
});

describe('a replay of many', () => {
  it('is counted, made, listed, paused, cancelled and let go on', async () => {
    const dead = await logEvent(api.store);
    await api.call('PUT', '/v1/destinations/many', { type: 'pull' });
    await endDelivery(api, dead, 'many', 'dead_letter');
    const chosen = { destination: 'many', events: ['*'], filter: 'true' };
    const dry = await api.call('POST', '/v1/replays', { ...chosen, dryRun: true });
    const until = expect.stringMatching(/Z$/);
    expect([dry.status, dry.body]).toEqual([
      202,
      { matched: 1, leftOut: [], oldest: '2026-03-01T12:00:00.000Z', until, seconds: null, replay: null },
    ]);

    const made = await api.call('POST', '/v1/replays', { ...chosen, rate: '500/s', until: dry.body.until });
    const { replay, ...plan } = made.body;
    expect({ ...plan, seconds: null, replay: null }).toEqual(dry.body);
    expect([plan.seconds, replay.selection.until]).toEqual([1, dry.body.until]);
    expect(replay).toMatchObject({ state: 'running', by: 'API_KEY', rate: '500/s', matched: 1, replayed: 0 });
    expect(replay.selection).toMatchObject({ state: 'dead_letter', destination: 'many', filter: 'true' });
    expect((await get('/v1/replays')).body.items).toContainEqual(replay);
    expect((await get(`/v1/replays/${replay.id}`)).body).toEqual(replay);
    for (const state of ['paused', 'running', 'cancelled', 'running'] as const) {
      expect((await api.call('PATCH', `/v1/replays/${replay.id}`, { state })).body).toEqual({ ...replay, state });
    }
    expect((await get(`/v1/replays/${replay.id}/failed`)).body).toEqual({ items: [], next: null });
    const { items } = (await get('/v1/audit?limit=5')).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual([
      'replay.resumed',
      'replay.cancelled',
      'replay.resumed',
      'replay.paused',
      'replay.made',
    ]);
  });

  it('is of deliveries that are named, and tells which of them it leaves out, and why', async () => {
    await api.call('PUT', '/v1/destinations/named', { type: 'pull' });
    const dead = await endDelivery(api, await logEvent(api.store), 'named', 'dead_letter');
    const done = await endDelivery(api, await logEvent(api.store), 'named', 'delivered');
    const removed = await endDelivery(api, await logEvent(api.store), 'named', 'dead_letter');
    await api.call('DELETE', `/v1/dead-letters/${removed}`);
    const gone = await endDelivery(api, await logEvent(api.store), 'named', 'dead_letter');
    const pending = await logEvent(api.store);
    await enqueueDeliveries(api.store, 'named', [{ eventId: pending.event.id }]);
    const [record = ''] = await api.store.redis.keys(`cr:{e*:evt_${gone.slice('dlv_named_'.length)}`);
    await api.store.redis.del(record);
    const deliveries = [dead, dead, done, deliveryId(pending.event.id, 'named'), removed, gone, 'dlv', `${dead}x`];
    const dry = async (more: object) =>
      (await api.call('POST', '/v1/replays', { deliveries, dryRun: true, ...more })).body;
    const leftOut = (...reasons: [string, number][]) => reasons.map(([reason, count]) => ({ reason, count }));
    const common = [
      ['removed', 1],
      ['event_gone', 1],
      ['unknown', 2],
    ] satisfies [string, number][];
    expect(await dry({ rate: '1/m' })).toMatchObject({
      matched: 1,
      seconds: 60,
      leftOut: leftOut(['already_pending', 1], ['delivered', 1], ...common),
    });
    expect(await dry({ state: 'delivered' })).toMatchObject({
      matched: 1,
      leftOut: leftOut(['already_pending', 1], ['dead_letter', 2], ['removed', 1], ['unknown', 2]),
    });
    expect(await dry({ until: '2026-03-01T12:00:00Z' })).toMatchObject({ matched: 0 });
    const made = await api.call('POST', '/v1/replays', { deliveries, rate: '1/h' });
    expect(made.body.replay).toMatchObject({ matched: 1, selection: { state: 'dead_letter', deliveryCount: 7 } });
    expect((await get('/v1/audit?limit=1')).body.items[0].detail).toMatchObject({ deliveries: 8, matched: 1 });
  });

  it('that does not fit is refused', async () => {
    for (const [body, path] of [
      [{ filter: 'event.type ==' }, 'filter'],
      [{ rate: 'fast' }, 'rate'],
      [{ since: 'yesterday' }, 'since'],
      [{ state: 'pending' }, 'state'],
      [{ deliveries: [] }, 'deliveries'],
      [{ deliveries: Array(1_001).fill('dlv') }, 'deliveries'],
      [{ deliveries: ['dlv'], destination: 'many' }, 'destination'],
      [{ deliveries: ['dlv'], except: ['dlv'] }, 'except'],
    ] as const) {
      const refused = await api.call('POST', '/v1/replays', body);
      expect([refused.status, refused.body.error.issues[0].path]).toEqual([400, path]);
    }
    expect((await api.call('POST', '/v1/replays', { destination: 'nowhere' })).status).toBe(404);
    expect((await get('/v1/replays/rpl_0123456789abcdef')).status).toBe(404);
    expect((await get('/v1/replays/rpl_0123456789abcdef/failed')).status).toBe(404);
    expect((await api.call('PATCH', '/v1/replays/rpl_0123456789abcdef', { state: 'running' })).status).toBe(404);
  });
});

describe('a removal of many dead letters', () => {
  const remove = (body: object) => api.call('POST', '/v1/dead-letters/remove', body);
  const listed = async (destination: string): Promise<string[]> =>
    (await get(`/v1/dead-letters?destination=${destination}&limit=500`)).body.items.map(
      ({ deliveryId }: { deliveryId: string }) => deliveryId,
    );
  /** As a worker that ends leaves them. */
  const bury = async (destinationId: string, count: number): Promise<void> => {
    await api.call('PUT', `/v1/destinations/${destinationId}`, { type: 'pull' });
    for (let at = 0; at < count; at++) {
      const { event } = await logEvent(api.store);
      await enqueueDeliveries(api.store, destinationId, [
        { eventId: event.id, job: { x: 'answered 500 to the last attempt' } },
      ]);
    }
    // A look at what waits finds that they have ended.
    await waitUntil(async () => {
      await api.call('POST', `/v1/destinations/${destinationId}/lease`, { max: 100, waitMs: 100 });
      return (await listed(destinationId)).length === count;
    });
  };

  it('is of these, or of all that match but these, and is counted first', async () => {
    await bury('bin', 6);
    const [one = '', two = '', three = ''] = await listed('bin');
    const chosen = { destination: 'bin', except: [one, 'rubbish'] };
    const dry = await remove({ ...chosen, dryRun: true });
    const leftOut = [{ reason: 'excepted', count: 1 }];
    const told = { matched: 5, leftOut, oldest: '2026-03-01T12:00:00.000Z', until: expect.any(String) };
    expect([dry.status, dry.body]).toEqual([200, { ...told, removed: 0, left: 5 }]);
    expect(await listed('bin')).toHaveLength(6);
    expect((await remove({ deliveries: [two, two, 'rubbish'] })).body).toMatchObject({
      matched: 1,
      leftOut: [{ reason: 'unknown', count: 1 }],
      removed: 1,
      left: 0,
    });
    expect((await get(`/v1/deliveries/${two}`)).status).toBe(404);
    // One is gone since it was looked at.
    const refused = await remove({ ...chosen, until: dry.body.until, expected: 5 });
    expect([refused.status, refused.body.error]).toEqual([
      409,
      {
        code: 'unexpected_count',
        message: '4 dead letters match, and 5 were expected: look at them again with `dryRun`; nothing was removed',
      },
    ]);
    expect(await listed('bin')).toHaveLength(5);
    expect((await remove({ ...chosen, events: ['none'] })).body).toMatchObject({ matched: 0, removed: 0 });
    // Its event is gone: nothing can be asked of it, and it is removed by what it is itself.
    const [record = ''] = await api.store.redis.keys(`cr:{e*:evt_${three.slice('dlv_bin_'.length)}`);
    await api.store.redis.del(record);
    const asking = await remove({ ...chosen, filter: 'true', dryRun: true });
    expect(asking.body).toMatchObject({ matched: 3, leftOut: [{ reason: 'event_gone' }, leftOut[0]].reverse() });
    expect((await remove(chosen)).body).toMatchObject({ matched: 4, removed: 4, left: 0 });
    expect(await listed('bin')).toEqual([one]);
  });

  it('of more than a hundred wants to be told how many', async () => {
    await bury('heap', 101);
    const chosen = { destination: 'heap', kind: 'refused' };
    const refused = await remove(chosen);
    expect([refused.status, refused.body.error.message]).toEqual([
      409,
      '101 dead letters match, and more than 100 want that number as `expected`; nothing was removed',
    ]);
    for (const expected of [0, 100, 102]) expect((await remove({ ...chosen, expected })).status).toBe(409);
    expect(await listed('heap')).toHaveLength(101);
    expect((await remove({ ...chosen, expected: 101 })).body).toMatchObject({ matched: 101, removed: 101, left: 0 });
    expect(await listed('heap')).toEqual([]);
  });

  it('that does not fit is refused', async () => {
    for (const [body, path] of [
      [{ state: 'delivered' }, ''],
      [{ expected: -1 }, 'expected'],
      [{ deliveries: ['dlv'], kind: 'refused' }, 'kind'],
    ] as const) {
      const { status, body: answer } = await remove(body);
      expect([status, answer.error.issues[0].path]).toEqual([400, path]);
    }
    expect((await remove({ destination: 'nowhere' })).status).toBe(404);
    const { body: key } = await api.call('POST', '/v1/keys', { name: 'replayer', scopes: ['read', 'replay'] });
    const headers = { authorization: `Bearer ${key.key}` };
    expect((await api.call('POST', '/v1/dead-letters/remove', { dryRun: true }, headers)).status).toBe(403);
  });
});

describe('lists', () => {
  /** Every item, a page at a time. */
  const walk = async (from: Api, path: string): Promise<{ pages: number; items: { id: string }[] }> => {
    const items: { id: string }[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const { status, body } = await from.call(
        'GET',
        `${path}?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      expect([status, body.items.length <= 2]).toEqual([200, true]);
      items.push(...body.items);
      cursor = body.next;
    }
    return { pages, items };
  };

  it('of destinations, keys and replays come in pages that miss and repeat nothing', async () => {
    const own = await startApi();
    const listed = async (path: string) => (await own.call('GET', path)).body.items;
    try {
      for (let made = 0; made < 5; made++) {
        await own.call('PUT', `/v1/destinations/d${made}`, { type: 'pull' });
        await own.call('POST', '/v1/keys', { name: 'x', scopes: ['read'] });
        await own.call('POST', '/v1/replays', { rate: '1/h' });
      }
      for (const path of ['/v1/destinations', '/v1/keys', '/v1/replays']) {
        const { pages, items } = await walk(own, path);
        expect([path, pages, items]).toEqual([path, 3, await listed(path)]);
        expect(new Set(items.map(({ id }) => id)).size).toBe(5);
      }
      const [first, second] = await listed('/v1/destinations?limit=2');
      expect([first.id, second.id]).toEqual(['d0', 'd1']);
      await own.call('DELETE', '/v1/destinations/d1');
      expect((await listed('/v1/destinations?limit=1&cursor=d1'))[0].id).toBe('d2');
    } finally {
      await own.stop();
    }
  });
});

describe('quarantine', () => {
  const put = (body: string | Buffer) =>
    quarantineCallback(api.store, {
      body: Buffer.from(body),
      reason: 'callback must be JSON',
      receivedAt: '2026-03-01T12:00:00.000Z',
    });

  it('is listed, read byte for byte, and thrown away', async () => {
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

  it('gives back what is understood by now', async () => {
    const before = await api.store.queue(ingestQueue('messages')).getWaitingCount();
    const id = await put('{"event":{"moText":[{"messageId":"a"},{"messageId":"b"}]}}');
    expect(await api.call('POST', `/v1/quarantine/${id}/reparse`)).toMatchObject({
      status: 200,
      body: { accepted: 2 },
    });
    expect(await api.store.queue(ingestQueue('messages')).getWaitingCount()).toBe(before + 1);
    expect((await api.call('POST', `/v1/quarantine/${id}/reparse`)).status).toBe(404);
  });

  it('keeps what is still not understood', async () => {
    const id = await put('still not JSON');
    expect(await api.call('POST', `/v1/quarantine/${id}/reparse`)).toMatchObject({
      status: 422,
      body: { error: { code: 'invalid_callback' } },
    });
    expect((await get(`/v1/quarantine/${id}`)).body.body.text).toBe('still not JSON');
  });
});

describe('destinations', () => {
  const url = 'https://crm.example.com/clickatell';

  it('show their secret to who may reveal it', async () => {
    const made = await api.call('PUT', '/v1/destinations/signed', { type: 'webhook', url });
    const { secret } = made.body;
    expect(await get('/v1/destinations/signed/secret')).toMatchObject({ status: 200, body: { id: 'signed', secret } });

    const former = { secret, until: '2999-01-01T00:00:00Z' };
    const both = [`whsec_${'a'.repeat(32)}`, former];
    const changed = await api.call('PUT', '/v1/destinations/signed', { type: 'webhook', url, secret: both });
    expect(changed.body.secret).toBe('(hidden)');
    expect((await get('/v1/destinations/signed/secret')).body.secret).toEqual(both);

    const reader = await api.call('POST', '/v1/keys', { name: 'reader', scopes: ['read', 'admin', 'replay'] });
    const headers = { authorization: `Bearer ${reader.body.key}` };
    expect(await api.call('GET', '/v1/destinations/signed/secret', undefined, headers)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden_scope' } },
    });
    expect(JSON.stringify((await api.call('GET', '/v1/destinations', undefined, headers)).body)).not.toContain(
      'whsec_',
    );

    await api.call('PUT', '/v1/destinations/fetched', { type: 'pull' });
    for (const id of ['fetched', 'nowhere']) {
      expect(await get(`/v1/destinations/${id}/secret`)).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found' } },
      });
    }
    for (const id of ['signed', 'fetched']) await api.call('DELETE', `/v1/destinations/${id}`);
  });

  it('get a secret that is shown once, and kept when they are changed', async () => {
    const made = await api.call('PUT', '/v1/destinations/hook', { type: 'webhook', url });
    expect(made.status).toBe(200);
    expect(made.body).toEqual({
      id: 'hook',
      type: 'webhook',
      events: ['*'],
      paused: null,
      held: null,
      url,
      secret: expect.stringMatching(/^whsec_/),
      format: 'event',
      timeoutMs: 15_000,
      concurrency: 32,
    });
    const hidden = { ...made.body, secret: '(hidden)' };
    expect((await get('/v1/destinations/hook')).body).toEqual(hidden);
    expect((await get('/v1/destinations')).body.items).toContainEqual(hidden);

    const changed = await api.call('PUT', '/v1/destinations/hook', { type: 'webhook', url, events: ['mo*'] });
    expect(changed.body).toEqual({ ...hidden, events: ['mo*'] });
    expect((await readDestination(api.store, 'hook'))?.config['secret']).toBe(made.body.secret);
  });

  it('hide the credentials that we have towards them, and keep what is sent back hidden', async () => {
    const oauth2 = { type: 'oauth2', tokenUrl: 'https://id.example.com/', clientId: 'us', clientSecret: 'canary-1' };
    const declared = { type: 'webhook', url, auth: oauth2, headers: { 'X-Key': 'canary-2' } };
    const made = await api.call('PUT', '/v1/destinations/known', declared);
    const shown = { auth: { ...oauth2, clientSecret: '(hidden)' }, headers: { 'x-key': '(hidden)' } };
    expect(made).toMatchObject({ status: 200, body: shown });
    const again = await api.call('PUT', '/v1/destinations/known', { type: 'webhook', url, ...shown });
    expect(again).toMatchObject({ status: 200, body: { ...shown, secret: '(hidden)' } });
    expect((await readDestination(api.store, 'known'))?.config).toMatchObject({
      auth: oauth2,
      headers: { 'x-key': 'canary-2' },
    });
    const moved = { type: 'webhook', url: 'https://evil.example/', ...shown };
    expect(await api.call('PUT', '/v1/destinations/known', moved)).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'invalid_destinations',
          message: 'known: headers.x-key is left out, and was for another host: give it again',
        },
      },
    });
    const answers = [made.body, again.body, (await get('/v1/destinations')).body, api.logged];
    expect(JSON.stringify(answers)).not.toContain('canary');
  });

  it('with a secret of their own never show it', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const answers = [
      await api.call('PUT', '/v1/destinations/own', { type: 'webhook', url, secret: [secret, secret] }),
      await get('/v1/destinations/own'),
      await get('/v1/destinations'),
      await api.call('POST', '/v1/destinations/own/pause'),
      await api.call('PUT', '/v1/destinations/own', { type: 'webhook', url: 'ftp://nowhere', secret }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400]);
    expect(JSON.stringify([answers, api.logged])).not.toContain(secret);
  });

  it.each([
    ['an address that is none', { type: 'webhook', url: 'crm' }],
    ['an address with a password', { type: 'webhook', url: 'https://ann:canary@example.com' }],
    ['a secret that is none', { type: 'webhook', url, secret: 'canary' }],
    ['another type', { type: 'carrier-pigeon' }],
    ['no type', { url }],
    ['a setting that does not exist', { type: 'pull', colour: 'canary' }],
    ['no event types', { type: 'pull', events: [] }],
  ])('with %s are refused, without repeating what was sent', async (_, body) => {
    const answer = await api.call('PUT', '/v1/destinations/refused', body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    expect(answer.body.error.issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
    expect((await get('/v1/destinations/refused')).status).toBe(404);
  });

  it('with a filter that cannot be understood are refused, with the column', async () => {
    const { status, body } = await api.call('PUT', '/v1/destinations/picky', { type: 'pull', filter: 'event.type ==' });
    expect(status).toBe(400);
    expect(body.error.issues).toEqual([{ path: 'filter', message: 'Unexpected token: EOF, at column 14' }]);
    expect((await get('/v1/destinations/picky')).status).toBe(404);
  });

  it('say why they want an event, or do not', async () => {
    const logged = await logEvent(api.store);
    await api.call('PUT', '/v1/destinations/picky', {
      type: 'pull',
      events: ['mo*'],
      filter: "event.from == 'nobody'",
    });
    const match = await get(`/v1/destinations/picky/match?event=${logged.event.id}`);
    expect(match.body).toEqual({
      wanted: false,
      rules: [
        { rule: 'events', passed: true, detail: `wants mo*; this is ${logged.event.type}` },
        { rule: 'filter', passed: false, detail: 'false' },
      ],
      delivery: null,
    });
    expect((await get(`/v1/destinations/nowhere/match?event=${logged.event.id}`)).status).toBe(404);
    expect((await get(`/v1/destinations/picky/match?event=evt_${'A'.repeat(22)}`)).status).toBe(404);
    expect((await get('/v1/destinations/picky/match')).status).toBe(400);
    await api.call('DELETE', '/v1/destinations/picky');
  });

  it('are made what a list declares, or only said to be', async () => {
    const destinations = [{ id: 'declared', type: 'webhook', url, events: ['mo*'] }];
    const dry = await api.call('POST', '/v1/destinations/apply', { destinations, dryRun: true });
    expect(dry.body).toEqual({ items: [{ id: 'declared', change: 'added', fields: [], madeSecret: false }] });
    expect((await get('/v1/destinations/declared')).status).toBe(404);
    const applied = await api.call('POST', '/v1/destinations/apply', { destinations });
    expect(applied.body.items[0]).toMatchObject({ change: 'added', madeSecret: true });
    const again = await api.call('POST', '/v1/destinations/apply', {
      destinations: [{ ...destinations[0], rate: '5/s' }],
    });
    expect(again.body).toEqual({ items: [{ id: 'declared', change: 'changed', fields: ['rate'], madeSecret: false }] });
    await api.call('DELETE', '/v1/destinations/declared');
  });

  it('have ids of a fixed form', async () => {
    expect((await api.call('PUT', '/v1/destinations/No_Such', { type: 'pull' })).status).toBe(400);
  });

  it('are paused with a reason, resumed, and removed', async () => {
    await api.call('PUT', '/v1/destinations/bot', { type: 'pull', events: ['moText'] });
    const pull = { id: 'bot', type: 'pull', events: ['moText'], held: null };
    expect((await api.call('POST', '/v1/destinations/bot/pause', { reason: 'on holiday' })).body).toEqual({
      ...pull,
      paused: 'on holiday',
    });
    // A change does not resume by the way.
    expect((await api.call('PUT', '/v1/destinations/bot', { type: 'pull', events: ['moText'] })).body.paused).toBe(
      'on holiday',
    );
    expect((await api.call('POST', '/v1/destinations/bot/resume')).body).toEqual({ ...pull, paused: null });
    expect((await api.call('DELETE', '/v1/destinations/bot')).status).toBe(204);
    expect((await get('/v1/destinations/bot')).status).toBe(404);
    for (const path of ['/pause', '/resume']) {
      expect((await api.call('POST', `/v1/destinations/bot${path}`)).status).toBe(404);
    }
    expect((await api.call('DELETE', '/v1/destinations/bot')).status).toBe(404);
  });
});

describe('the status', () => {
  it('says how safe callbacks are and what waits where', async () => {
    await api.call('PUT', '/v1/destinations/slow', { type: 'pull' });
    await enqueueDeliveries(api.store, 'slow', [{ eventId: (await logEvent(api.store)).event.id }]);
    await waitUntil(async () => (await get('/v1/status')).body.durability.ready);
    const { body } = await get('/v1/status');
    expect(body).toEqual({
      version: '1.2.3',
      durability: {
        ready: true,
        mode: 'always',
        durability: 'always',
        mayBeLost: expect.stringContaining('lost with the disk'),
        problems: [],
      },
      eventLogBytes: expect.any(Number),
      ingest: { messages: expect.any(Number), statuses: 0 },
      destinations: expect.arrayContaining([{ id: 'slow', waiting: 1, delayed: 0, active: 0, deadLetters: 0 }]),
    });
    expect(body.eventLogBytes).toBeGreaterThan(0);
  });
});

describe('the OpenAPI document', () => {
  it('shows every operation once, under a name of its own', async () => {
    const { status, body } = await get('/v1/openapi.json');
    expect([status, body.openapi, body.info.version]).toEqual([200, '3.1.0', '1.2.3']);
    const shown = Object.entries<Record<string, { operationId: string }>>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(shown.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
    const names = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('describes the path parameters that its paths have', async () => {
    const { body } = await get('/v1/openapi.json');
    for (const [path, methods] of Object.entries<Record<string, { parameters?: { in: string; name: string }[] }>>(
      body.paths,
    )) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
      }
    }
  });

  it('holds no generated secret', async () => {
    expect(JSON.stringify((await get('/v1/openapi.json')).body)).not.toMatch(/whsec_[A-Za-z0-9+/]{20}/);
  });
});

// Last, because they take Redis away.
describe('while Redis', () => {
  it('does not answer, the API says so in time, and works again when it does', async () => {
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

  it('is down, the API says so at once, and works again when it is back', async () => {
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
