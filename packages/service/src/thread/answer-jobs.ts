import { parentPort, type Transferable } from 'node:worker_threads';

/** How a job ended, as it goes from the thread to whoever asked. */
export type Answer<Result> = { readonly result: Result } | { readonly error: string };

/**
 * The thread's side: does one job after the other. What a job throws is told by its name alone, because a message may
 * quote what the job was given.
 *
 * @param work answers a result, and what of it is handed over instead of copied
 */
export const answerJobs = <Job, Result>(
  work: (job: Job) => { readonly result: Result; readonly handOver?: readonly Transferable[] },
): void => {
  const port = parentPort;
  if (port === null) throw new Error('answerJobs is for the file that openThread is given');
  port.on('message', (job: Job) => {
    try {
      const { result, handOver = [] } = work(job);
      port.postMessage({ result } satisfies Answer<Result>, handOver);
    } catch (error) {
      port.postMessage({ error: error instanceof Error ? error.name : typeof error } satisfies Answer<Result>);
    }
  });
};
