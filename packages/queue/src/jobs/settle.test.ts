import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { CRM, consume, DONE, EMPTY, PROMPTLY, useDispatcher } from '../../test/use-dispatcher.ts';
import { addJobs } from './add-jobs.ts';
import type { Settlement } from './settle.ts';

const test = useDispatcher();
const { add, counts, nothingIsActive, store } = test;

describe('a job that was', () => {
  const settle = async (settlement: Settlement | (() => Settlement)) => {
    const consumer = consume(CRM, () => (typeof settlement === 'function' ? settlement() : settlement));
    test.dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(async () => consumer.taken.length === 1 && (await counts(CRM))['active'] === 0);
    const job = await store.queue(CRM).getJob('one');
    return { consumer, job, state: await job?.getState() };
  };

  it('done is gone', async () => {
    expect(await settle(DONE)).toMatchObject({ job: undefined });
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('to be retried waits for its time, counts as an attempt and has its reason', async () => {
    const { job, state } = await settle({ kind: 'retry', delayMs: 60_000, reason: 'answered 503' });
    expect([state, job?.attemptsMade, job?.delay, job?.failedReason]).toEqual(['delayed', 1, 60_000, 'answered 503']);
    expect(await store.redis.hget(`${CRM.prefix}:crm:one`, 'stacktrace')).toBeNull();
  });

  it('postponed waits for its time and counts for nothing', async () => {
    const { job, state } = await settle({ kind: 'postpone', delayMs: 60_000 });
    expect([state, job?.attemptsMade, job?.delay]).toEqual(['delayed', 0, 60_000]);
  });

  it('given up is a failed job with its reason, and stays', async () => {
    const { consumer, job, state } = await settle({ kind: 'dead_letter', reason: 'answered 400' });
    expect([state, job?.attemptsMade, job?.failedReason]).toEqual(['failed', 1, 'answered 400']);
    expect(job?.stacktrace).toEqual([]);
    expect(consumer.taken).toEqual(['one']);
  });

  it('retried comes with the number of its attempts; postponing adds none', async () => {
    const seen: number[] = [];
    const settlements: Settlement[] = [
      { kind: 'retry', delayMs: 0, reason: 'first' },
      { kind: 'postpone', delayMs: 0 },
      { kind: 'retry', delayMs: 20, reason: 'second' },
      DONE,
    ];
    test.dispatcher.add(
      consume(CRM, ({ attemptsMade }) => {
        seen.push(attemptsMade);
        return settlements[seen.length - 1] as Settlement;
      }),
    );
    await add(CRM, 'one');
    await waitUntil(() => seen.length === 4);
    expect(seen).toEqual([0, 1, 1, 2]);
    await nothingIsActive(CRM);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('thrown at comes back in about a second, counts for nothing, and the error is told', async () => {
    const at: number[] = [];
    const fairlyAt: number[] = [];
    const consumer = consume(CRM, ({ attemptsMade }) => {
      at.push(Date.now());
      fairlyAt.push(fairNow());
      expect(attemptsMade).toBe(0);
      if (at.length === 1) throw new Error('no');
      return DONE;
    });
    test.dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => at.length === 2);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(1_000);
    expect((fairlyAt[1] as number) - (fairlyAt[0] as number)).toBeLessThan(1_000 + PROMPTLY);
    expect(test.errors).toEqual([new Error('no')]);
  });

  it('taken has its data', async () => {
    const data: unknown[] = [];
    test.dispatcher.add(
      consume(CRM, (job) => {
        data.push(job.data);
        return DONE;
      }),
    );
    await addJobs(store, CRM, [{ data: { a: 1, x: 'é😀' } }, { data: {} }]);
    await waitUntil(() => data.length === 2);
    expect(data).toEqual([{ a: 1, x: 'é😀' }, {}]);
  });
});
