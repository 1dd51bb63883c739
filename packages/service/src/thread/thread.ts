import { Worker } from 'node:worker_threads';
import type { Answer } from './answer-jobs.ts';

/** A job did not end, or not in time. Other jobs may succeed. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError';
}

/** Does one job at a time on a thread of its own, which starts with the first job and ends when idle. */
export interface Thread<Job, Result> {
  /**
   * Jobs wait for each other. A `SharedArrayBuffer` in a job is not copied.
   * @throws {ThreadError} when the thread died or took too long; the next job gets a new one
   */
  run(job: Job): Promise<Result>;
  /** Ends the thread. A job that is under way fails. */
  close(): Promise<void>;
}

export interface ThreadOptions {
  /** How long one job may take, in ms. @default 30000 */
  readonly deadlineMs?: number;
  /** How long an idle thread stays, in ms: it takes some megabytes. @default 30000 */
  readonly idleMs?: number;
}

/**
 * The file of a thread that lies beside a module of the same program, be it the source or the build.
 * @param moduleUrl `import.meta.url` of the module
 */
export const threadFile = (name: string, moduleUrl: string): URL =>
  new URL(`./${name}${moduleUrl.endsWith('.ts') ? '.ts' : '.js'}`, moduleUrl);

/** @param file a module that calls `answerJobs` */
export const openThread = <Job, Result>(file: URL, options: ThreadOptions = {}): Thread<Job, Result> => {
  const { deadlineMs = 30_000, idleMs = 30_000 } = options;
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const start = (): Worker => {
    const started = new Worker(file);
    const forget = (): void => {
      if (worker === started) worker = undefined;
    };
    // Without a listener, an error of the thread would end this process.
    started.on('error', forget);
    started.on('exit', forget);
    return started;
  };

  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = worker;
    worker = undefined;
    await ending?.terminate();
  };

  const runNow = (job: Job): Promise<Result> => {
    if (isClosed) return Promise.reject(new ThreadError('the thread is closed'));
    clearTimeout(idle);
    worker ??= start();
    const running = worker;
    running.ref();
    return new Promise<Result>((resolve, reject) => {
      const fail = (what: string): void => settle(() => reject(new ThreadError(what)));
      const onMessage = (answer: Answer<Result>): void => {
        if ('result' in answer) settle(() => resolve(answer.result));
        else fail(`the job failed (${answer.error})`);
      };
      const onError = (error: Error & { code?: unknown }): void =>
        fail(`the thread died (${typeof error.code === 'string' ? error.code : error.name})`);
      const onExit = (): void => fail('the thread ended');
      const late = setTimeout(() => {
        fail(`the job took longer than ${deadlineMs} ms`);
        void end();
      }, deadlineMs);
      const settle = (how: () => void): void => {
        clearTimeout(late);
        running.off('message', onMessage).off('error', onError).off('exit', onExit);
        running.unref();
        idle = setTimeout(() => void end(), idleMs).unref();
        how();
      };
      running.on('message', onMessage).on('error', onError).on('exit', onExit);
      running.postMessage(job);
    });
  };

  return {
    run: (job) => {
      const turn = last.then(() => runNow(job));
      last = turn.catch(() => {});
      return turn;
    },
    close: async () => {
      isClosed = true;
      await end();
    },
  };
};
