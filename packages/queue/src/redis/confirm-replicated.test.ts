import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { createCommitter } from '../intake/commit.ts';
import type { CommittedCallback, IngestGroup } from '../intake/ingest-group.ts';
import { quarantineCallback } from '../intake/quarantine.ts';
import type { DurabilityMode } from './durability-mode.ts';
import { ingestQueue } from './names.ts';
import { openStore, type Store } from './store.ts';

const RECEIVED_AT = '2026-03-01T12:00:00.000Z';
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const open = async (redisUrl: string, durability: DurabilityMode): Promise<Store> => {
  const store = await openStore({ redisUrl, role: 'producer', durability });
  cleanUp.push(() => store.close());
  await store.ready();
  return store;
};

const startPair = async (): Promise<{ primary: RedisServer; replica: RedisServer }> => {
  const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  cleanUp.push(() => primary.stop());
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  cleanUp.push(() => replica.stop());
  const admin = new Redis(primary.url);
  cleanUp.push(async () => admin.disconnect());
  await waitUntil(async () => {
    await admin.set('synced', '1');
    return (await admin.wait(1, 500)) === 1;
  });
  return { primary, replica };
};

/** Commits as fast as it can, and notes the texts that were acknowledged. */
const commitUntil = async (store: Store, acknowledged: string[], isOver: () => boolean): Promise<void> => {
  const { commit } = createCommitter(store, { deadlineMs: 5_000 });
  let next = 0;
  const sender = async (): Promise<void> => {
    while (!isOver()) {
      const text = `callback ${next++}`;
      await commit({ text, lane: 'messages' }, RECEIVED_AT).then(
        () => acknowledged.push(text),
        () => new Promise((resolve) => setTimeout(resolve, 10)),
      );
    }
  };
  await Promise.all(Array.from({ length: 16 }, sender));
};

const readTexts = async (store: Store): Promise<Set<string>> => {
  const jobs = await store.queue(ingestQueue('messages')).getJobs(['waiting'], 0, -1, true);
  const callbacks: CommittedCallback[] = jobs.flatMap(({ data }) => [...(data as IngestGroup).callbacks]);
  return new Set(callbacks.map(({ text }) => text));
};

/** Cuts the replica off under load, kills the primary, and looks at what the replica has when it takes over. */
const failOver = async (durability: DurabilityMode) => {
  const { primary, replica } = await startPair();
  const store = await open(primary.url, durability);
  let phase: 'well' | 'cut off' | 'killed' = 'well';
  const acknowledged: string[] = [];
  const committing = commitUntil(store, acknowledged, () => phase === 'killed');
  await waitUntil(() => acknowledged.length > 200);
  await replica.kill('SIGSTOP');
  // What lies in the buffers of the network would reach it yet.
  const link = new Redis(primary.url);
  await link.call('CLIENT', 'KILL', 'TYPE', 'replica');
  link.disconnect();
  phase = 'cut off';
  const before = acknowledged.length;
  // Longer than two commits wait for a replica: the first of them may have reached it before.
  await new Promise((resolve) => setTimeout(resolve, 2_400));
  if (durability === 'always') await waitUntil(() => acknowledged.length > before + 100);
  await primary.kill('SIGKILL');
  phase = 'killed';
  await committing;
  await replica.kill('SIGCONT');
  const admin = new Redis(replica.url);
  await admin.replicaof('NO', 'ONE');
  admin.disconnect();
  const promoted = await open(replica.url, 'unsafe');
  const kept = await readTexts(promoted);
  return { acknowledged: acknowledged.length, lost: acknowledged.filter((text) => !kept.has(text)).length };
};

describe('a failover to a replica that was cut off', () => {
  it('with `replicated` loses nothing that was acknowledged', async () => {
    const { acknowledged, lost } = await failOver('replicated');
    expect(acknowledged).toBeGreaterThan(100);
    expect(lost).toBe(0);
  });

  it('with `always` loses the last of it, as /readyz says', async () => {
    const { acknowledged, lost } = await failOver('always');
    expect(acknowledged).toBeGreaterThan(100);
    expect(lost).toBeGreaterThan(0);
  });
});

describe('with `replicated`', () => {
  it('nothing is acknowledged while no replica answers, and all is again when one does', async () => {
    const { primary, replica } = await startPair();
    const store = await open(primary.url, 'replicated');
    const { commit } = createCommitter(store);
    await commit({ text: 'before', lane: 'messages' }, RECEIVED_AT);
    await replica.kill('SIGSTOP');
    const refused = { code: 'queue_unavailable', message: expect.stringContaining('no replica confirmed') };
    await expect(commit({ text: 'meanwhile', lane: 'messages' }, RECEIVED_AT)).rejects.toMatchObject(refused);
    const entry = { body: Buffer.from('not JSON'), reason: 'callback must be JSON', receivedAt: RECEIVED_AT };
    await expect(quarantineCallback(store, entry)).rejects.toMatchObject(refused);
    await replica.kill('SIGCONT');
    await waitUntil(() =>
      commit({ text: 'after', lane: 'messages' }, RECEIVED_AT).then(
        () => true,
        () => false,
      ),
    );
  });

  it('an answer over a connection that was opened since does not count', async () => {
    const { primary } = await startPair();
    const store = await open(primary.url, 'replicated');
    const [server] = store.servers() as [Redis];
    const written = store.durably('cr:{m00}', async () => {
      await server.set('cr:{m00}:x', '1');
      const back = new Promise((resolve) => server.once('ready', resolve));
      server.stream.destroy();
      await back;
    });
    await expect(written).rejects.toMatchObject({ code: 'queue_unavailable' });
  });
});
