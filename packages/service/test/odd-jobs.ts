import { answerJobs } from '../src/thread/answer-jobs.ts';

export type OddJob = 'count' | 'throw' | 'exit' | 'never end' | SharedArrayBuffer;

let jobs = 0;

answerJobs((job: OddJob) => {
  jobs++;
  if (job instanceof SharedArrayBuffer) return { result: new Uint8Array(job).reduce((sum, byte) => sum + byte, 0) };
  if (job === 'throw') throw new RangeError('quotes what it was given');
  if (job === 'exit') process.exit(1);
  if (job === 'never end') for (;;);
  return { result: jobs };
});
