import type { Lane } from '@clickrelay/core';
import type { JobsOptions } from 'bullmq';
import { ingestQueue, type QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

let turn = 0;

/** The next queue of a lane, in turn; not one that is put aside. A whole group goes to one of them. */
export const nextIngestQueue = (store: Store, lane: Lane): QueueName => {
  for (let tries = 1; ; tries++) {
    const queue = ingestQueue(lane, turn++ % store.ingestShards);
    if (tries >= store.ingestShards || store.aside.mayTry(queue.prefix)) return queue;
  }
};

/** Adds jobs in one pipeline. Leaves a job as it is if its id exists. */
export const addJobs = async (
  store: Store,
  name: QueueName,
  jobs: readonly { data: unknown; options?: JobsOptions }[],
): Promise<void> => {
  const [first] = jobs;
  if (jobs.length === 1 && first !== undefined) await store.queue(name).add('', first.data, first.options);
  else if (jobs.length > 1)
    await store
      .queue(name)
      .addBulk(jobs.map(({ data, options }) => ({ name: '', data, ...(options && { opts: options }) })));
};
