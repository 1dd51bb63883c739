import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adoptStore,
  type CredentialRecord,
  inspectStore,
  listReceivers,
  openCredentialRecords,
  openStore,
  type Store,
} from '@clickrelay/queue';
import { createSender, sampleCallback } from '@clickrelay/simulator';
import { type Program, type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startReceiverProgram } from './receiver-program.ts';

let redis: RedisServer;
let store: Store;
let spoolDirs: string[];
let receivers: (Program & { url: string; port: number })[];
beforeEach(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  spoolDirs = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'clickrelay-spool-')));
  receivers = [];
});
afterEach(async () => {
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  await store.close();
  await redis.stop();
  for (const dir of spoolDirs) rmSync(dir, { recursive: true, force: true });
});

/** All with `CALLBACK_AUTH=query:old`, each with a spool of its own unless told otherwise. */
const start = async (index: number, { until = 'readyz' as 'readyz' | 'healthz', withSpool = true } = {}) => {
  const before = receivers[index];
  await before?.stop();
  const receiver = await startReceiverProgram({
    redisUrl: redis.url,
    until,
    ...(before && { port: before.port }),
    environment: { CALLBACK_AUTH: 'query:old', ...(withSpool && { SPOOL_DIR: spoolDirs[index] as string }) },
  });
  receivers[index] = receiver;
  return receiver;
};

const send = async ({ url }: { url: string }, token: string): Promise<number> => {
  const answer = await fetch(`${url}/client-callback/one-api-reply?token=${token}`, {
    method: 'POST',
    body: JSON.stringify(sampleCallback('moText')),
  });
  await answer.text();
  return answer.status;
};

const make = async (secret: string): Promise<CredentialRecord> => {
  const records = openCredentialRecords(store);
  const made = records.draft({ kind: 'query', name: null, sha256: hash('sha256', secret) }, 'made', Date.now());
  await records.keep([made]);
  return made;
};

/** Waits until this many receivers accept a credential. */
const acceptedBy = async (id: string, count: number): Promise<void> => {
  await waitUntil(
    async () => {
      const all = await listReceivers(store);
      return all.filter(({ credentialIds }) => credentialIds.includes(id)).length === count;
    },
    { timeoutMs: 60_000, what: `${count} receivers accept ${id}` },
  );
};

/** Waits until a receiver has recorded the one that it declares. */
const oldOne = (): Promise<CredentialRecord> =>
  waitUntil(
    async () => {
      const all = await openCredentialRecords(store).list();
      return all.find(({ sha256 }) => sha256 === hash('sha256', 'old'));
    },
    { timeoutMs: 60_000, what: 'the declared one is recorded' },
  );

it('every receiver takes to a new credential under load without a refusal, and still after a restart', async () => {
  const both = [await start(0), await start(1)];
  const statuses: Record<string, number> = {};
  let token = 'old';
  let isOver = false;
  const load = both.map(async ({ url }) => {
    const senders = new Map<string, ReturnType<typeof createSender>>();
    while (!isOver) {
      const sender = senders.get(token) ?? createSender({ url: `${url}/client-callback?token=${token}`, tries: 1 });
      senders.set(token, sender);
      const batch = Array.from({ length: 20 }, () => sampleCallback('moText'));
      const { statuses: got } = await sender.sendMany(batch, { connections: 4 });
      for (const [status, count] of Object.entries(got)) statuses[status] = (statuses[status] ?? 0) + count;
    }
    await Promise.all([...senders.values()].map((sender) => sender.close()));
  });
  const answered = (): number => Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const someMore = async (): Promise<void> => {
    const before = answered();
    await waitUntil(() => answered() >= before + 200, { timeoutMs: 60_000, what: '200 more answers' });
  };

  await someMore();
  const made = await make('new');
  await acceptedBy(made.id, 2);
  token = 'new';
  await someMore();
  const records = openCredentialRecords(store);
  const { id } = await oldOne();
  await records.setEnd([id], new Date().toISOString());
  await acceptedBy(id, 0);
  await someMore();
  isOver = true;
  await Promise.all(load);
  expect(statuses).toEqual({ 200: answered() });
  expect(await Promise.all(both.map((receiver) => send(receiver, 'old')))).toEqual([401, 401]);
  await waitUntil(async () => made.id in (await records.readUses()), { timeoutMs: 60_000, what: 'its use is noted' });

  // It declares the old one still.
  const again = await start(0);
  expect([await send(again, 'new'), await send(again, 'old')]).toEqual([200, 401]);
  const listed = await records.list();
  expect(listed.map(({ id: one, origin }) => [one, origin])).toEqual([
    [made.id, 'made'],
    [id, 'declared'],
  ]);
  const uses = await records.readUses();
  expect(Date.parse(uses[made.id] as string)).toBeGreaterThanOrEqual(Date.parse(uses[id] as string));
}, 60_000);

it('a receiver that starts while Redis is away accepts what it knew before', async () => {
  await start(0);
  const made = await make('new');
  await acceptedBy(made.id, 1);
  await openCredentialRecords(store).setEnd([(await oldOne()).id], new Date().toISOString());
  await acceptedBy((await oldOne()).id, 0);
  await redis.kill();
  const receiver = await start(0, { until: 'healthz' });
  expect([await send(receiver, 'new'), await send(receiver, 'old')]).toEqual([200, 401]);
});

it('one that never heard of any refuses with 503 what may have been made, until it has read Redis', async () => {
  await make('new');
  await redis.kill();
  const receiver = await start(0, { until: 'healthz' });
  expect([await send(receiver, 'new'), await send(receiver, 'old')]).toEqual([503, 200]);
  await redis.restart();
  await waitUntil(async () => (await send(receiver, 'new')) === 200, { timeoutMs: 60_000, what: 'it is accepted' });
  expect(await send(receiver, 'guessed')).toBe(401);
});

it('a Redis that has lost everything is told again what was made and what has ended, once it is adopted', async () => {
  const receiver = await start(0);
  const made = await make('new');
  await acceptedBy(made.id, 1);
  const records = openCredentialRecords(store);
  await records.setEnd([(await oldOne()).id], new Date().toISOString());
  await acceptedBy((await oldOne()).id, 0);
  const before = await records.list();
  const { mark } = await inspectStore(store);
  await store.redis.flushall();
  await adoptStore(store, [mark?.id as string]);
  await waitUntil(async () => (await records.list()).length === 2, { timeoutMs: 60_000, what: 'both are there again' });
  expect(await records.list()).toEqual(before);
  expect([await send(receiver, 'new'), await send(receiver, 'old')]).toEqual([200, 401]);
});

it('a credential ends at its time, also while Redis is away', async () => {
  const receiver = await start(0);
  const made = await make('new');
  await acceptedBy(made.id, 1);
  const endsAt = new Date(Date.now() + 4_000).toISOString();
  await openCredentialRecords(store).setEnd([made.id], endsAt);
  const kept = join(spoolDirs[0] as string, 'credentials.json');
  await waitUntil(() => readFileSync(kept, 'utf8').includes(endsAt), { timeoutMs: 60_000, what: 'the end is known' });
  await redis.kill();
  await waitUntil(async () => (await send(receiver, 'new')) === 401, { timeoutMs: 60_000, what: 'it has ended' });
});
