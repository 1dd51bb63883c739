import { setTimeout as sleep } from 'node:timers/promises';
import { type LoggedEvent, splitCallback } from '@clickrelay/core';
import { putDestination, readDestination } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { generateSecret, type LiveSecret } from '@clickrelay/webhook-forwarder';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { createAdapters } from '../src/adapters.ts';
import { attemptDelivery, type DeliverContext } from '../src/deliver.ts';
import type { Outlet } from '../src/outlet.ts';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const isSignedBy = (key: string, body: string, headers: object): boolean => {
  try {
    new Webhook(key).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

it('during a rotation under load, every delivery verifies with the old key, then both, then the new one', async () => {
  const [former, renewed] = [generateSecret(), generateSecret()];
  const refused: string[] = [];
  let accepted: readonly string[] = [former];
  const delivered = new Set<unknown>();
  /** For each request, whether both keys signed it. */
  const withBoth: boolean[] = [];
  const crm = await worker.addDestination(
    'crm',
    ({ body, headers }) => {
      withBoth.push([former, renewed].every((key) => isSignedBy(key, body, headers)));
      for (const key of accepted) {
        if (isSignedBy(key, body, headers)) continue;
        refused.push(`${headers['webhook-id']} with key ${[former, renewed].indexOf(key)}`);
        return 401;
      }
      delivered.add(headers['webhook-id']);
      // Long enough that some are under way whenever the keys change.
      return { status: 200, delayMs: 20 };
    },
    { config: { secret: former, concurrency: 8 } },
  );
  await worker.start({ RETRY_SCHEDULE: '0s,5s,5s' });
  /** Resolves when the last request that was signed with one key has come. */
  const untilSignedWithBoth = async (): Promise<void> => {
    const from = withBoth.length;
    await waitUntil(() => withBoth.length >= from + 50 && withBoth.slice(-50).every(Boolean));
  };

  let sent = 0;
  let isLoaded = true;
  const load = (async () => {
    while (isLoaded) {
      await worker.commit(...Array.from({ length: 8 }, () => sampleCallback('moText')));
      sent += 8;
      await sleep(10);
    }
  })();
  const change = async (secret: LiveSecret[]): Promise<void> => {
    const present = await readDestination(worker.store, 'crm');
    if (present === undefined) throw new Error('crm is gone');
    await putDestination(worker.store, { ...present, config: { ...present.config, secret } });
    // Requests signed before come to their end; new ones are signed with both.
    const count = delivered.size;
    await waitUntil(() => delivered.size > count + 50);
  };

  await waitUntil(() => delivered.size > 50);
  for (let round = 0; round < 3; round++) {
    await change([renewed, former]);
    await untilSignedWithBoth();
    accepted = [former, renewed];
    await sleep(300);
    accepted = [renewed];
    await change([renewed, { secret: former, until: new Date(Date.now() + 300).toISOString() }]);
    await change([renewed]);
    // And back, so that the test sees more than one change.
    await change([renewed, former]);
    await untilSignedWithBoth();
    accepted = [former];
    await change([former]);
  }
  isLoaded = false;
  await load;
  await waitUntil(() => delivered.size === sent, { timeoutMs: 90_000 });
  expect(refused).toEqual([]);
  // No delivery was tried twice because its destination was opened again meanwhile.
  expect(crm.requests).toHaveLength(sent);
});

it('an attempt that is cut off by a change of settings does not count, and is repeated', async () => {
  const opened = createAdapters({ egressAllow: [], userAgent: 'Clickrelay/test' }).open('webhook', {
    url: 'https://crm.example.com/',
    secret: generateSecret(),
  });
  await opened?.deliverer.close();
  const left: unknown[] = [];
  const outlet = {
    id: 'crm',
    deliverer: opened?.deliverer,
    schedule: [0, 5_000],
    leave: (how: unknown) => left.push(how),
  } as unknown as Outlet;
  const recorded: unknown[] = [];
  const context = {
    store: worker.store,
    attempts: { record: async (record) => void recorded.push(record), drained: async () => {} },
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  } as DeliverContext;
  const [event] = splitCallback(JSON.stringify(sampleCallback('moText')), new Date().toISOString());

  const result = await attemptDelivery(context, outlet, event as LoggedEvent, { number: 1, isFirst: true });
  expect(result).toMatchObject({ uncounted: true, outcome: { kind: 'retry', delayMs: 0 } });
  expect([left, recorded]).toEqual([['untried'], []]);
});
