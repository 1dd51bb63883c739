import { enqueueDeliveries } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('a removal of many dead letters', () => {
  const remove = (body: object) => api.call('POST', '/v1/dead-letters/remove', body);
  const listed = async (destination: string): Promise<string[]> =>
    (await get(`/v1/dead-letters?destination=${destination}&limit=500`)).body.items.map(
      ({ deliveryId }: { deliveryId: string }) => deliveryId,
    );
  /** Makes dead letters as a worker does. */
  const bury = async (destinationId: string, count: number): Promise<void> => {
    await api.call('PUT', `/v1/destinations/${destinationId}`, { type: 'pull' });
    for (let at = 0; at < count; at++) {
      const { event } = await logEvent(api.store);
      await enqueueDeliveries(api.store, destinationId, [
        { eventId: event.id, job: { x: 'answered 500 to the last attempt' } },
      ]);
    }
    // A lease request finds that they have ended.
    await waitUntil(async () => {
      await api.call('POST', `/v1/destinations/${destinationId}/lease`, { max: 100, waitMs: 100 });
      return (await listed(destinationId)).length === count;
    });
  };

  it('takes the named ones, or all that match except the named ones, and counts them first', async () => {
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
    // One was removed since the dry run.
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
    // Its event has left the log: a filter cannot match it, but the dead letter itself can be removed.
    const [record = ''] = await api.store.redis.keys(`cr:{e*:evt_${three.slice('dlv_bin_'.length)}`);
    await api.store.redis.del(record);
    const asking = await remove({ ...chosen, filter: 'true', dryRun: true });
    expect(asking.body).toMatchObject({ matched: 3, leftOut: [{ reason: 'event_gone' }, leftOut[0]].reverse() });
    expect((await remove(chosen)).body).toMatchObject({ matched: 4, removed: 4, left: 0 });
    expect(await listed('bin')).toEqual([one]);
  });

  it('of more than a hundred needs their number', async () => {
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

  it('that is invalid is refused', async () => {
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
