import { parentPort, type Transferable } from 'node:worker_threads';

/** The outcome of a job, as the thread sends it back. */
export type Answer<Result> = { readonly result: Result } | { readonly error: string };

/**
 * Runs in the thread: does one job after the other. Reports only the name of a thrown error, because its message may
 * quote the input of the job.
 *
 * @param work returns a result, and the parts of it to hand over instead of copying
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
