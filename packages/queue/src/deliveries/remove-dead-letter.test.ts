import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import { type CutMoment, startFaultProxy, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { openGraveyard } from '../../test/dead-letters.ts';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { enqueueDeliveries } from './enqueue-deliveries.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { readDelivery, readEnded } from './read-deliveries.ts';
import { removeDeadLetter } from './remove-dead-letter.ts';
import { replayDelivery } from './replay-delivery.ts';

const { redis, store, openStore } = useStore();
const { put, append, bury, jobOf, stateOf } = openGraveyard(store);

describe('giving up a dead letter', () => {
  it('removes it, and nothing is owed any more', async () => {
    const [a, b] = idsOf(newConversations(2)) as [string, string];
    await put('crm');
    await bury('crm', [a, b]);
    expect(await removeDeadLetter(store, deliveryId(a, 'crm'))).toBe(true);
    expect(await jobOf('crm', a)).toBeUndefined();
    expect(await readEnded(store, a)).toEqual(new Set(['crm']));
    expect(await stateOf('crm', a)).toBeUndefined();
    expect((await listDeadLetters(store, { limit: 10 })).items.map(({ eventId }) => eventId)).toEqual([b]);
    expect(await removeDeadLetter(store, deliveryId(a, 'crm'))).toBe(false);
  });

  it.each<CutMoment>(['before', 'inside', 'after'])(
    'is finished by asking again when the connection broke %s any of its commands',
    async (moment) => {
      await put('crm');
      const proxy = await startFaultProxy(redis.port);
      const asker = await openStore({ redisUrl: proxy.url, role: 'producer' });
      await asker.ready();
      for (let command = 1, happened = true; happened; command++) {
        const [event] = newEvents(1) as [LoggedEvent];
        await append([event]);
        const eventId = event.event.id;
        await bury('crm', [eventId]);
        const id = deliveryId(eventId, 'crm');
        await waitUntil(() => asker.redis.status === 'ready');
        const cut = proxy.cutAt({ command, moment, refuse: true });
        await removeDeadLetter(asker, id).catch(() => {});
        happened = cut.happened;
        proxy.heal();
        const isListed = (await listDeadLetters(store, { limit: 10 })).items.length > 0;
        if (isListed) expect([command, await removeDeadLetter(store, id)]).toEqual([command, true]);
        expect([command, (await listDeadLetters(store, { limit: 10 })).items]).toEqual([command, []]);
        // Nothing holds the event back from being cleaned away.
        expect([command, (await readDelivery(store, id))?.state]).not.toEqual([command, 'dead_letter']);
      }
      await asker.close();
      await proxy.close();
    },
  );

  it('while somebody else sends it again leaves it sent again, or given up, and never neither', async () => {
    const other = await openStore({ role: 'producer' });
    await other.ready();
    await put('crm');
    const ids = idsOf(newConversations(150));
    await bury('crm', ids);
    const ends = await Promise.all(
      ids.map(async (eventId, index) => {
        const id = deliveryId(eventId, 'crm');
        // One of them a little earlier, by another step each time.
        const late = async <T>(steps: number, work: () => Promise<T>): Promise<T> => {
          for (let step = 0; step < steps; step++) await store.redis.ping();
          return work();
        };
        const [removed, replayed] = await Promise.all([
          late(index % 12, () => removeDeadLetter(store, id)),
          late(Math.floor(index / 12) % 3, () => replayDelivery(other, id)),
        ]);
        const job = await jobOf('crm', eventId);
        return { removed, replayed, is: await job?.getState(), owed: (await stateOf('crm', eventId)) === 'pending' };
      }),
    );
    for (const { removed, replayed, ...end } of ends) {
      const isSent = replayed === 'replayed';
      expect([removed, replayed, end]).toEqual([
        isSent ? removed : true,
        replayed,
        isSent ? { is: 'waiting', owed: true } : { is: undefined, owed: false },
      ]);
    }
    expect(new Set(ends.map(({ replayed }) => replayed === 'replayed')).size).toBe(2);
    await other.close();
  });

  it('is refused for what is none', async () => {
    const { id } = newEvent().event;
    await put('crm');
    await enqueueDeliveries(store, 'crm', [{ eventId: id }]);
    for (const other of ['', 'rubbish', id, deliveryId(id, 'other'), deliveryId(id, 'crm')]) {
      expect(await removeDeadLetter(store, other)).toBe(false);
    }
    expect(await stateOf('crm', id)).toBe('pending');
    expect(await (await jobOf('crm', id))?.getState()).toBe('waiting');
  });
});
