import { deliveryId } from '@clickrelay/core';
import { enqueueDeliveries } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('a replay of many', () => {
  it('is counted, created, listed, paused, cancelled and resumed', async () => {
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

  it('takes named deliveries, and says which of them it leaves out and why', async () => {
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

  it('that is invalid is refused', async () => {
    for (const [body, path] of [
      [{ filter: 'event.type ==' }, 'filter'],
      [{ events: ['moTxt'] }, 'events.0'],
      [{ filter: 'event.typo == 1' }, 'filter'],
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
