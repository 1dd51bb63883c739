export { answerJobs } from './answer-jobs.ts';
export { openThread, type Thread, ThreadError, type ThreadOptions, threadFile } from './thread.ts';
