import { afterEach, expect, it } from 'vitest';
import { openThread, type Thread, type ThreadOptions, threadFile } from '../src/thread/index.ts';
import type { OddJob } from './odd-jobs.ts';

let thread: Thread<OddJob, number>;
afterEach(() => thread.close());

const open = (options?: ThreadOptions): void => {
  thread = openThread(threadFile('odd-jobs', import.meta.url), options);
};

it('does one job after the other on one thread, which can share memory', async () => {
  open();
  const shared = new SharedArrayBuffer(3);
  new Uint8Array(shared).set([1, 2, 3]);
  expect(
    await Promise.all([thread.run('count'), thread.run('count'), thread.run(shared), thread.run('count')]),
  ).toEqual([1, 2, 6, 4]);
});

it('does not block the calling thread', async () => {
  open({ deadlineMs: 1_000 });
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  await thread.run('never end').catch(() => {});
  clearInterval(counting);
  expect(turns).toBeGreaterThan(5);
});

it.each([
  ['throw', 'the job failed (RangeError)'],
  ['exit', 'the thread ended'],
] as const)('a job that does this fails alone: %s', async (job, message) => {
  open();
  const [odd, next] = await Promise.allSettled([thread.run(job), thread.run(new SharedArrayBuffer(1))]);
  expect(odd).toMatchObject({ status: 'rejected', reason: { name: 'ThreadError', message } });
  expect(next).toEqual({ status: 'fulfilled', value: 0 });
});

it('a job that never ends fails alone', async () => {
  open({ deadlineMs: 2_000 });
  const message = 'the job took longer than 2000 ms';
  await expect(thread.run('never end')).rejects.toMatchObject({ name: 'ThreadError', message });
  // The start of another thread counts for the deadline too, and may be slow.
  await expect.poll(() => thread.run(new SharedArrayBuffer(1)).catch(() => {})).toBe(0);
});

it('ends the thread when it is idle, and starts it again for the next job', async () => {
  open({ idleMs: 20 });
  expect(await thread.run('count')).toBe(1);
  expect(await thread.run('count')).toBe(2);
  await expect.poll(() => thread.run('count').then((jobs) => jobs), { interval: 200 }).toBe(1);
});

it('takes no more jobs once it is closed', async () => {
  open();
  const running = thread.run('never end').catch(({ message }: Error) => message);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await thread.close();
  expect(await running).toBe('the thread ended');
  await expect(thread.run('count')).rejects.toThrow('the thread is closed');
});
