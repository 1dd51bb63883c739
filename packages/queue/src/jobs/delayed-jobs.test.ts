import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { CRM, consume, DONE, gate, PROMPTLY, useDispatcher } from '../../test/use-dispatcher.ts';
import { markerKey } from './keys.ts';

const test = useDispatcher();
const { add, addDelayed, listening, openAnother, store } = test;

describe('a delayed job', () => {
  it('comes when it is due', async () => {
    const dueAt = new Map<string, { at: number; fair: number }>();
    const late: number[] = [];
    const fairlyLate: number[] = [];
    test.dispatcher.add(
      consume(CRM, ({ id }) => {
        const due = dueAt.get(id) as { at: number; fair: number };
        late.push(Date.now() - due.at);
        fairlyLate.push(fairNow() - due.fair);
        return DONE;
      }),
    );
    const delays = [700, 50, 400, 400, 120, 900, 60, 333, 801, 250, 1, 640, 510, 180, 95];
    for (const [index, delay] of delays.entries()) {
      dueAt.set(`job-${index}`, { at: Date.now() + delay, fair: fairNow() + delay });
      await addDelayed(CRM, delay, `job-${index}`);
    }
    await waitUntil(() => late.length === delays.length);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    fairlyLate.sort((a, b) => a - b);
    expect(fairlyLate[7]).toBeLessThan(500);
    expect(fairlyLate.at(-1)).toBeLessThan(PROMPTLY);
  });

  it.each([
    ['before', [300, 60_000]],
    ['after', [60_000, 300]],
  ])('is not held up by one that is due much later and was added %s it', async (_, delays) => {
    const consumer = consume(CRM);
    test.dispatcher.add(consumer);
    for (const delay of delays) await addDelayed(CRM, delay, `in-${delay}`);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: 300 + PROMPTLY });
    expect(consumer.taken).toEqual(['in-300']);
    // The other one has its timer again.
    await addDelayed(CRM, 200, 'in-200');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
  });

  it('that was added before anyone listened comes when it is due', async () => {
    const addedAt = Date.now();
    await addDelayed(CRM, 400, 'one');
    const consumer = consume(CRM);
    test.dispatcher.add(consumer);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: 400 + PROMPTLY });
    expect(Date.now() - addedAt).toBeGreaterThanOrEqual(400);
  });

  it('whose time this process waits for comes to another one when it is full by then', async () => {
    let room = 1;
    const here = { ...consume(CRM), room: () => room };
    test.dispatcher.add(here);
    await listening(1);
    const elsewhere = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(2);
    // The one that has listened longest is told of it.
    await addDelayed(CRM, 1_500, 'later');
    await waitUntil(async () => (await store.redis.exists(markerKey(CRM))) === 0);
    room = 0;
    await waitUntil(() => there.taken.length === 1, { timeoutMs: 1_500 + PROMPTLY });
    expect(here.taken).toEqual([]);
  });

  it('of a destination that is full here comes to another process when it is due', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened, 1);
    test.dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const elsewhere = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(1);
    await addDelayed(CRM, 300, 'later');
    await waitUntil(() => there.taken.length === 1, { timeoutMs: 300 + PROMPTLY });
    open(DONE);
  });
});
