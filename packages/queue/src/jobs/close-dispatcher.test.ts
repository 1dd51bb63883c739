import { fileURLToPath } from 'node:url';
import { fairNow, startProgram, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { CRM, consume, DONE, EMPTY, gate, ids, PROMPTLY, useDispatcher } from '../../test/use-dispatcher.ts';

const test = useDispatcher();
const { add, addDelayed, counts, listening, openAnother, redis, store } = test;

describe('a dispatcher that closes', () => {
  it('waits for what is running, and takes nothing more', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened, 2);
    test.dispatcher.add(consumer);
    await add(CRM, ...ids(5));
    await waitUntil(() => consumer.taken.length === 2);
    let isClosed = false;
    const closed = test.dispatcher.close(10_000).then(() => {
      isClosed = true;
    });
    await store.redis.ping();
    expect(isClosed).toBe(false);
    open(DONE);
    await closed;
    expect(consumer.running).toBe(0);
    expect(consumer.taken).toEqual(['job-0', 'job-1']);
    expect(await counts(CRM)).toEqual({ ...EMPTY, waiting: 3 });
  });

  it('waits no longer than its grace', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened);
    test.dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => consumer.taken.length === 1);
    const closedAt = performance.now();
    const fairlyClosedAt = fairNow();
    await test.dispatcher.close(200);
    expect(performance.now() - closedAt).toBeGreaterThanOrEqual(195);
    expect(fairNow() - fairlyClosedAt).toBeLessThan(PROMPTLY);
    open(DONE);
    await waitUntil(() => consumer.running === 0);
  });

  it('leaves what comes meanwhile to another process', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened);
    test.dispatcher.add(here);
    await add(CRM, 'one');
    await waitUntil(() => here.taken.length === 1);
    const elsewhere = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(2);
    const closed = test.dispatcher.close(10_000);
    for (let round = 1; round <= 10; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length === round, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    open(DONE);
    await closed;
    expect(here.taken).toEqual(['one']);
  });

  it('lets the process end', async () => {
    await add(CRM, 'one');
    await addDelayed(CRM, 3_600_000, 'much-later');
    const program = await startProgram({
      args: [fileURLToPath(new URL('../../test/worker-process.ts', import.meta.url)), redis.url, 'crm', 'once'],
      readyOutput: /ready/,
    });
    await program.waitForOutput(/closed/);
    const closedAt = fairNow();
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(fairNow() - closedAt).toBeLessThan(PROMPTLY);
    expect(program.stdout()).toBe('ready\ntook one\nclosed\n');
  });
});
