import { fileURLToPath } from 'node:url';
import { readIntake, readLedger, sumIntake } from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { PERSON_KEY, type Program, startProgram, waitUntil } from '@clickrelay/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const walk = useWorker();

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});

/** A process of its own, to be killed. */
const startWorkerProcess = async (): Promise<Program> => {
  const program = await startProgram({
    args: [MAIN],
    env: { PERSON_KEY, REDIS_URL: walk.redis.url, EGRESS_ALLOW: '127.0.0.0/8', RETRY_SCHEDULE: '0s,50ms,50ms' },
    readyOutput: /worker\.ready/,
  });
  programs.push(program);
  return program;
};

const callbacks = (count: number): Envelope[] =>
  Array.from({ length: count }, (_, n) => sampleCallback(n % 3 === 0 ? 'moText' : 'messageStatusUpdate'));

describe('the ledger', () => {
  it('balances at any moment, and after workers were killed in the middle of everything', async () => {
    const slowly = async (status: number) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return status;
    };
    // Never twenty failures in a row: a destination that fails so often is only probed.
    const crm = await walk.addDestination('crm', (_, index) => slowly(index % 10 === 0 ? 503 : 200));
    await walk.addDestination('refuses', (_, index) => slowly(index % 2 === 0 ? 400 : 200));
    const count = 900;
    const repeated = 60;
    let worker = await startWorkerProcess();
    const unbalanced: unknown[] = [];
    let looks = 0;
    const stop = new AbortController();
    const watch = (async () => {
      while (!stop.signal.aborted) {
        const ledger = await readLedger(walk.store);
        looks++;
        if (!ledger.balanced) unbalanced.push(ledger.destinations);
      }
    })();
    const rowsOf = async () => (await readLedger(walk.store)).destinations;
    try {
      for (let round = 0; round < 3; round++) {
        const before = crm.requests.length;
        const sent = callbacks(count / 3);
        await walk.commit(...sent);
        // Clickatell sends some of them again: they are dropped, and counted as repeats.
        await walk.commit(...sent.slice(0, repeated / 3));
        await waitUntil(() => crm.requests.length > before + 50, { timeoutMs: 30_000 });
        await worker.stop('SIGKILL');
        expect((await readLedger(walk.store)).balanced).toBe(true);
        worker = await startWorkerProcess();
      }
      await walk.ingestIsEmpty();
      await waitUntil(async () => (await rowsOf()).every(({ pending, parked }) => pending + parked === 0), {
        timeoutMs: 60_000,
      });
    } finally {
      stop.abort();
      await watch;
    }

    expect(await readLedger(walk.store)).toMatchObject({ events: count, unrouted: 0, balanced: true });
    const { messages, statuses } = sumIntake(await readIntake(walk.store, {}, Date.now()));
    expect({
      callbacks: messages.callbacks + statuses.callbacks,
      events: messages.events + statuses.events,
      repeats: messages.repeats + statuses.repeats,
    }).toEqual({ callbacks: count + repeated, events: count, repeats: repeated });
    for (const row of await rowsOf()) {
      expect(row).toMatchObject({ accepted: count, unaccounted: 0, removed: 0 });
      expect(row.delivered + row.dead).toBe(count);
    }
    expect(unbalanced).toEqual([]);
    console.log(`looked ${looks} times at a ledger under way: it balanced each time`);
  });

  it('is right for a destination that is added, changed and removed while events arrive', async () => {
    await walk.start();
    const crm = await walk.addDestination('crm');
    await walk.commit(...callbacks(30));
    await crm.waitFor(30);
    const archive = await walk.addDestination('archive', 200, { events: ['moText'] });
    await walk.commit(...callbacks(30));
    await archive.waitFor(10);
    await crm.waitFor(60);
    await walk.ingestIsEmpty();
    const delivered = (id: string, accepted: number) => expect.objectContaining({ id, accepted, delivered: accepted });
    expect(await readLedger(walk.store)).toMatchObject({
      events: 60,
      balanced: true,
      destinations: [delivered('archive', 10), delivered('crm', 60)],
    });
  });
});
