import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { destinationQueue } from '../redis/names.ts';
import { addJobs } from './add-jobs.ts';

const { store } = useStore();

describe('jobs', () => {
  it('are added in order, and one whose id exists is left as it is', async () => {
    const name = destinationQueue('crm');
    await addJobs(store, name, []);
    await addJobs(store, name, [{ data: 'a', options: { jobId: 'first' } }]);
    await addJobs(store, name, [
      { data: 'b', options: { jobId: 'second' } },
      { data: 'c', options: { jobId: 'first' } },
      { data: 'd', options: { jobId: 'third' } },
    ]);
    const jobs = await store.queue(name).getJobs(['waiting'], 0, -1, true);
    expect(jobs.map(({ id, data }) => [id, data])).toEqual([
      ['first', 'a'],
      ['second', 'b'],
      ['third', 'd'],
    ]);
  });
});
