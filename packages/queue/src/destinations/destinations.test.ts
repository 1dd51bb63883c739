import { type CutMoment, startFaultProxy, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { idsOf, newConversations, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { addJobs } from '../jobs/add-jobs.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { Settlement } from '../jobs/settle.ts';
import { queueDepths } from '../ledger/queue-figures.ts';
import { destinationQueue, ingestQueue } from '../redis/names.ts';
import { openStore } from '../redis/store.ts';
import {
  type Destination,
  listDestinations,
  pauseDestination,
  putDestination,
  readDestination,
  removeDestination,
  resumeDestination,
  watchDestinations,
} from './destinations.ts';

const { redis, store } = useStore();

const destination = (id: string, more: Partial<Destination> = {}): Destination => ({
  id,
  type: 'webhook',
  events: ['mo*'],
  paused: null,
  config: { url: `https://${id}.example/hook`, secret: 'whsec_x', nested: { é: [1, null] } },
  ...more,
});

const queueFor = (id: string, count: number) =>
  enqueueDeliveries(
    store,
    id,
    idsOf(newEvents(count)).map((eventId) => ({ eventId })),
  );

describe('a destination', () => {
  it('is read as it was put, and put again as it was put then', async () => {
    await putDestination(store, destination('crm'));
    await putDestination(store, destination('archive', { type: 'pull', paused: 'maintenance' }));
    expect(await readDestination(store, 'crm')).toEqual(destination('crm'));
    expect(await listDestinations(store)).toEqual([
      destination('archive', { type: 'pull', paused: 'maintenance' }),
      destination('crm'),
    ]);
    await putDestination(store, destination('crm', { events: ['*'], config: {} }));
    expect(await readDestination(store, 'crm')).toEqual(destination('crm', { events: ['*'], config: {} }));
  });

  it('that was never put is none', async () => {
    expect(await readDestination(store, 'crm')).toBeUndefined();
    expect(await listDestinations(store)).toEqual([]);
    expect(await pauseDestination(store, 'crm', 'why not')).toBe(false);
    expect(await resumeDestination(store, 'crm')).toBe(false);
    expect(await removeDestination(store, 'crm')).toBe(false);
    expect(await listDestinations(store)).toEqual([]);
  });

  it('is paused with a reason, and resumed', async () => {
    await putDestination(store, destination('crm'));
    expect(await pauseDestination(store, 'crm', 'answered 410')).toBe(true);
    expect(await readDestination(store, 'crm')).toEqual(destination('crm', { paused: 'answered 410' }));
    expect(await resumeDestination(store, 'crm')).toBe(true);
    expect(await readDestination(store, 'crm')).toEqual(destination('crm'));
  });

  it('keeps a new signing key that somebody puts while it is paused', async () => {
    await putDestination(store, destination('crm'));
    const proxy = await startFaultProxy(redis.port);
    const worker = await openStore({ redisUrl: proxy.url, role: 'consumer' });
    await worker.ready();
    // The worker has read the destination and has not written it yet.
    proxy.delay(200);
    const pausing = pauseDestination(worker, 'crm', 'answered 410');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await putDestination(store, destination('crm', { config: { secret: 'whsec_new' } }));
    proxy.heal();
    expect(await pausing).toBe(true);
    expect(await readDestination(store, 'crm')).toEqual(
      destination('crm', { config: { secret: 'whsec_new' }, paused: 'answered 410' }),
    );
    await worker.close();
    await proxy.close();
  });

  it('is an error when Redis refuses it', async () => {
    await putDestination(store, destination('crm'));
    await store.redis.config('SET', 'maxmemory', '1');
    await expect(putDestination(store, destination('archive'))).rejects.toThrow();
    await expect(pauseDestination(store, 'crm', 'full')).rejects.toThrow();
    await store.redis.config('SET', 'maxmemory', '0');
    expect(await listDestinations(store)).toEqual([destination('crm')]);
  });
});

describe('a destination that is removed', () => {
  it('leaves nothing of its queue, whatever state its jobs were in, and other destinations as they are', async () => {
    await putDestination(store, destination('crm'));
    await putDestination(store, destination('crm-2'));
    const settlements: Settlement[] = [
      { kind: 'dead_letter', reason: 'answered 400' },
      { kind: 'retry', delayMs: 60_000, reason: 'answered 503' },
    ];
    const dispatcher = createDispatcher(store, { onError: () => {} });
    let release = (_: Settlement): void => {};
    let room = 3;
    dispatcher.add({
      queue: destinationQueue('crm'),
      room: () => room,
      run: () => {
        room--;
        const settlement = settlements.pop();
        return settlement === undefined
          ? new Promise((resolve) => {
              release = resolve;
            })
          : Promise.resolve(settlement);
      },
    });
    await queueFor('crm', 2_500);
    await queueFor('crm-2', 2);
    await waitUntil(async () => (await queueDepths(store)).destinations[0]?.deadLetters === 1);
    expect((await queueDepths(store)).destinations).toEqual([
      { id: 'crm', waiting: 2_497, delayed: 1, active: 1, deadLetters: 1 },
      { id: 'crm-2', waiting: 2, delayed: 0, active: 0, deadLetters: 0 },
    ]);

    dispatcher.remove(destinationQueue('crm'));
    expect(await removeDestination(store, 'crm')).toBe(true);
    expect(await removeDestination(store, 'crm')).toBe(false);
    release({ kind: 'done' });
    await dispatcher.close(1_000);

    const { prefix } = destinationQueue('crm');
    expect(await store.redis.keys(`${prefix}:crm:*`)).toEqual([]);
    expect((await queueDepths(store)).destinations).toEqual([
      { id: 'crm-2', waiting: 2, delayed: 0, active: 0, deadLetters: 0 },
    ]);
  });

  it.each<CutMoment>(['before', 'inside', 'after'])(
    'is gone for good by asking again when the connection broke %s any of its commands',
    async (moment) => {
      const proxy = await startFaultProxy(redis.port);
      const asker = await openStore({ redisUrl: proxy.url, role: 'producer' });
      await asker.ready();
      for (let command = 1, happened = true; happened; command++) {
        await putDestination(store, destination('crm'));
        await queueFor('crm', 3);
        await waitUntil(() => asker.redis.status === 'ready');
        const cut = proxy.cutAt({ command, moment, refuse: true });
        await removeDestination(asker, 'crm').catch(() => {});
        happened = cut.happened;
        proxy.heal();
        await removeDestination(store, 'crm');
        expect([command, await readDestination(store, 'crm')]).toEqual([command, undefined]);
        expect([command, await store.redis.keys('cr:{d*}:crm:*')]).toEqual([command, []]);
      }
      await asker.close();
      await proxy.close();
    },
  );

  it.each<CutMoment>(['before', 'inside', 'after'])(
    'and put again begins with an empty queue, when the connection broke %s any command of its removal',
    async (moment) => {
      const proxy = await startFaultProxy(redis.port);
      const asker = await openStore({ redisUrl: proxy.url, role: 'producer' });
      await asker.ready();
      let halfRemoved = 0;
      for (let command = 1, happened = true; happened; command++) {
        await putDestination(store, destination('crm'));
        await queueFor('crm', 3);
        await waitUntil(() => asker.redis.status === 'ready');
        const cut = proxy.cutAt({ command, moment, refuse: true });
        await removeDestination(asker, 'crm').catch(() => {});
        happened = cut.happened;
        proxy.heal();
        const isGone = (await readDestination(store, 'crm')) === undefined;
        const jobs = async () => (await store.redis.keys('cr:{d*}:crm:evt_*')).length;
        if (isGone && (await jobs()) > 0) halfRemoved++;
        await putDestination(store, destination('crm'));
        expect([command, await jobs()]).toEqual([command, isGone ? 0 : 3]);
        await removeDestination(store, 'crm');
      }
      expect(halfRemoved).toBeGreaterThan(0);
      await asker.close();
      await proxy.close();
    },
  );

  it('and put again by many at once loses nothing that came after any of them', async () => {
    const others = await Promise.all(
      Array.from({ length: 6 }, () => openStore({ redisUrl: redis.url, role: 'producer' })),
    );
    for (let round = 0; round < 10; round++) {
      await putDestination(store, destination('crm'));
      await queueFor('crm', 20);
      await Promise.all([
        removeDestination(store, 'crm'),
        ...others.map(async (other) => {
          await waitUntil(async () => (await readDestination(other, 'crm')) === undefined, { everyMs: 1 });
          await putDestination(other, destination('crm'));
          await queueFor('crm', 1);
        }),
      ]);
      const { destinations } = await queueDepths(store);
      expect([round, destinations[0]?.waiting]).toEqual([round, others.length]);
      await removeDestination(store, 'crm');
    }
    await Promise.all(others.map((other) => other.close()));
  });

  it('and put again begins with an empty queue that is worked through', async () => {
    await putDestination(store, destination('crm'));
    await queueFor('crm', 3);
    await removeDestination(store, 'crm');
    await putDestination(store, destination('crm'));
    const [event] = idsOf(newEvents(1)) as [string];
    await enqueueDeliveries(store, 'crm', [{ eventId: event }]);
    const taken: string[] = [];
    const dispatcher = createDispatcher(store, { onError: () => {} });
    dispatcher.add({
      queue: destinationQueue('crm'),
      room: () => 10,
      run: async ({ id }) => {
        taken.push(id);
        return { kind: 'done' };
      },
    });
    await waitUntil(() => taken.length > 0);
    await dispatcher.close(1_000);
    expect(taken).toEqual([event]);
  });
});

describe('a watch', () => {
  it('tells what there is now, and every change within a second, whoever makes it', async () => {
    await putDestination(store, destination('crm'));
    const api = await openStore({ redisUrl: redis.url, role: 'producer' });
    await api.ready();
    const seen: Destination[][] = [];
    const watch = await watchDestinations(store, {
      onChange: (destinations) => void seen.push(destinations),
      onError: () => {},
    });
    expect(seen).toEqual([[destination('crm')]]);
    const changes: [() => Promise<unknown>, Destination[]][] = [
      [() => putDestination(api, destination('a')), [destination('a'), destination('crm')]],
      [() => pauseDestination(api, 'a', 'x'), [destination('a', { paused: 'x' }), destination('crm')]],
      [() => resumeDestination(api, 'a'), [destination('a'), destination('crm')]],
      [() => removeDestination(api, 'crm'), [destination('a')]],
      [() => putDestination(api, destination('a', { config: {} })), [destination('a', { config: {} })]],
    ];
    for (const [change, expected] of changes) {
      const count = seen.length;
      await change();
      await waitUntil(() => seen.length > count, { timeoutMs: 2_000, everyMs: 5 });
      expect(seen.slice(count)).toEqual([expected]);
    }
    watch.stop();
    await api.close();
  });

  it('tells again what could not be used the first time', async () => {
    let calls = 0;
    const errors: unknown[] = [];
    const watch = await watchDestinations(store, {
      onChange: () => {
        calls++;
        if (calls === 2) throw new Error('cannot open it');
      },
      onError: (error) => errors.push(error),
    });
    await putDestination(store, destination('crm'));
    await waitUntil(() => calls === 3);
    expect(errors).toEqual([new Error('cannot open it')]);
    watch.stop();
  });

  it('goes on after Redis was away', async () => {
    const seen: string[][] = [];
    const watch = await watchDestinations(store, {
      onChange: (destinations) => void seen.push(destinations.map(({ id }) => id)),
      onError: () => {},
    });
    await redis.restart();
    await putDestination(store, destination('crm'));
    await waitUntil(() => seen.length === 2);
    expect(seen).toEqual([[], ['crm']]);
    watch.stop();
  });
});

describe('the depths of the queues', () => {
  it('are counted for each lane and each destination', async () => {
    await putDestination(store, destination('crm'));
    await putDestination(store, destination('archive'));
    expect(await queueDepths(store)).toEqual({
      ingest: { messages: 0, statuses: 0 },
      destinations: [
        { id: 'archive', waiting: 0, delayed: 0, active: 0, deadLetters: 0 },
        { id: 'crm', waiting: 0, delayed: 0, active: 0, deadLetters: 0 },
      ],
    });
    await addJobs(store, ingestQueue('messages'), [{ data: {} }, { data: {} }, { data: {} }]);
    await addJobs(store, ingestQueue('messages'), [{ data: {}, options: { delay: 60_000 } }]);
    await addJobs(store, ingestQueue('statuses'), [{ data: {} }]);
    await enqueueDeliveries(
      store,
      'crm',
      idsOf(newConversations(5)).map((eventId, index) => ({ eventId, delayMs: index > 2 ? 60_000 : 0 })),
    );
    expect(await queueDepths(store)).toEqual({
      ingest: { messages: 4, statuses: 1 },
      destinations: [
        { id: 'archive', waiting: 0, delayed: 0, active: 0, deadLetters: 0 },
        { id: 'crm', waiting: 3, delayed: 2, active: 0, deadLetters: 0 },
      ],
    });
  });
});
