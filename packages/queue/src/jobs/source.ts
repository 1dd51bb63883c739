import type { Rate } from '@clickrelay/core';
import type { QueueName } from '../redis/names.ts';
import type { JobTaker, Store } from '../redis/store.ts';
import type { Alarm } from './alarm.ts';
import { type Batch, FIRST_BATCH } from './grow-batch.ts';
import type { MarkerRead } from './marker-read.ts';
import type { Settlement } from './settle.ts';

/* What a dispatcher knows of each queue that it takes from, and of all of them together. */

export interface TakenJob {
  readonly id: string;
  readonly data: unknown;
  /** What its producer noted on it, see add-noted.ts; undefined without a note. */
  readonly note: unknown;
  /** How many attempts this queue made and counted before. */
  readonly attemptsMade: number;
  /** How many times it was taken before, counted or not. */
  readonly timesTaken: number;
  /** How many times its lock ran out before it was settled. */
  readonly stalledCount: number;
  /** The holder of the token settles the job. */
  readonly token: string;
}

export interface Consumer {
  readonly queue: QueueName;
  /** Saves a round trip for each job, and costs every read one: for the few queues that everything goes through. */
  readonly isPrompt?: boolean;
  /** How many jobs may be taken in a span of time, by all processes together. Default: no limit. */
  readonly rate?: Rate | undefined;
  /** How many more jobs may be taken now. Call `Dispatcher.poke` when it was 0 and no longer is. */
  room(): number;
  /** Jobs are handed out under tokens made by this: their holders renew and settle them, not the dispatcher. */
  newToken?(): string;
  /**
   * A look into the queue found nothing to take: it is empty, or holds only jobs that are due later.
   * @param since When the look began, by `performance.now()`.
   */
  onEmpty?(since: number): void;
  /** A look into the queue found that its rate allows no take now. */
  onLimited?(since: number): void;
  /** How many of its jobs are taken, by all processes. Called by every check for stalled jobs. */
  onActive?(count: number): void;
  /** If it throws, the job is tried again in a second, the next time in two, and so on. */
  run(job: TakenJob): Promise<Settlement>;
}

/** The queues that one blocking read waits for. */
export interface ReadGroup {
  readonly read: MarkerRead;
  /** By marker, in the order in which they are to be served. */
  readonly sources: Map<string, Source>;
  isClosed: boolean;
  /** Ends the pause of a listener that found no room anywhere. */
  wake(): void;
}

/** A queue that this process takes from. */
export interface Source {
  readonly consumer: Consumer;
  readonly group: ReadGroup;
  readonly taker: JobTaker;
  readonly marker: string;
  /** Job ids by token: a job whose lock was lost can be taken again while its first run goes on. */
  readonly running: Map<string, string>;
  /** Takes again when a delayed job is due, or the rate allows it. */
  readonly alarm: Alarm;
  taking: boolean;
  /** A take was asked for while one was under way. */
  again: boolean;
  /** Takes under way: each may come back with a job. */
  asked: number;
  /** The last look found no room: there may be more to take as soon as there is. */
  isFull: boolean;
  /** How many jobs to take next. */
  batch: Batch;
  /** When a prompt take last found a job, by `performance.now()`. */
  gaveAt: number;
  /** Until then the consumer's rate allows no take, by `performance.now()`. */
  limitedUntil: number;
}

/** What the sources of one dispatcher share. */
export interface Dispatch {
  readonly store: Store;
  readonly onError: (error: unknown) => void;
  /** By marker. */
  readonly sources: Map<string, Source>;
  /** Sources with a running job, removed ones included: their locks are renewed until they are done. */
  readonly working: Set<Source>;
  newToken(): string;
  /** Takes under way, of all sources. */
  takes: number;
  isClosing: boolean;
  /** Called when nothing is taken or running any more, once it is closing. */
  readonly idleWaiters: Set<() => void>;
}

export const newSource = (parts: Pick<Source, 'consumer' | 'group' | 'taker' | 'marker' | 'alarm'>): Source => ({
  ...parts,
  running: new Map(),
  taking: false,
  again: false,
  asked: 0,
  isFull: false,
  batch: FIRST_BATCH,
  gaveAt: Number.NEGATIVE_INFINITY,
  limitedUntil: 0,
});

export const isLimited = ({ limitedUntil }: Source): boolean => limitedUntil > performance.now();

/** How many more jobs may be taken: jobs that takes under way may bring count as taken. */
export const roomOf = (source: Source): number => (isLimited(source) ? 0 : source.consumer.room() - source.asked);

/** Neither removed nor closing. */
export const isOpen = (dispatch: Dispatch, source: Source): boolean =>
  !dispatch.isClosing && dispatch.sources.get(source.marker) === source;

/** To be called whenever a take or a job has ended. */
export const tellIfIdle = ({ isClosing, takes, working, idleWaiters }: Dispatch): void => {
  if (isClosing && takes === 0 && working.size === 0) for (const tell of idleWaiters) tell();
};
