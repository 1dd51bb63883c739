import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError } from '@clickrelay/core';
import { type DurabilityReport, isPassing } from '../redis/judge-durability.ts';
import type { MemoryWatch } from '../redis/memory.ts';
import type { Store } from '../redis/store.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import type { Spool, SpoolStats } from '../spool/spool.ts';
import { watchCircuit } from './circuit.ts';
import { createCommitter } from './commit.ts';
import { createCommitTimes } from './commit-times.ts';
import { drainSpool } from './drain-spool.ts';
import type { CallbackToCommit } from './ingest-group.ts';
import { quarantineCallback, quarantineId } from './quarantine.ts';

/** Whether a callback that came now would be kept, and how safely. */
export interface Readiness extends DurabilityReport {
  /** Only with a spool. */
  readonly spool?: SpoolStats;
}

export interface Intake {
  /**
   * Resolves when the callback is on stable storage: in Redis, or in the spool while Redis does not take it.
   * @throws {QueueUnavailableError}
   */
  commit(callback: CallbackToCommit, receivedAt: string): Promise<void>;
  /**
   * Does the same for a body that is not a callback.
   * @returns its `qrt_` id
   * @throws {QueueUnavailableError}
   * @throws {QuarantineFullError}
   */
  quarantine(entry: { body: Uint8Array; reason: string; receivedAt: string }): Promise<string>;
  readiness(): Readiness;
  /** The 99th percentile of how long Redis took for commits in the last minute, in ms; null without any. */
  commitP99Ms(): number | null;
  /** Resolves when nothing is under way any more. The spool keeps its callbacks. */
  close(): Promise<void>;
}

export interface IntakeOptions {
  readonly store: Store;
  readonly durability: () => DurabilityReport;
  /** Refuses callbacks before Redis is full. */
  readonly memory?: Pick<MemoryWatch, 'admit'>;
  /** Without a spool, callbacks are refused while Redis is away. */
  readonly spool?: Spool | undefined;
  /** Opens the connection over which the spool is drained. */
  readonly openStore: () => Promise<Store>;
  /** Called when Redis is used from now on, or is not any more. */
  readonly onChange?: (usesRedis: boolean) => void;
  readonly onDrained?: (drained: { readonly records: number; readonly ms: number }) => void;
}

/** How long Redis may take, in ms: less with a spool, because a write to the spool has to fit in as well. */
const DEADLINE_MS = { alone: 1_500, withSpool: 1_000 };
/** After its start a receiver gives Redis this long to show up before it calls itself ready without Redis, in ms. */
const FIRST_LOOK_MS = 2_000;

/** How long commits under way may take when the receiver stops, in ms. */
const CLOSE_MS = 700;

const SPOOL_MAY_BE_LOST = 'what is acknowledged now is in the spool, and lost with the disk of this receiver';

const NOT_ANSWERING = {
  setting: 'connection',
  value: 'not answering',
  mend: 'start Redis, or set REDIS_URL to where it is',
};

/** Where callbacks go: into Redis, and into the spool when Redis does not take them in time. */
export const createIntake = (options: IntakeOptions): Intake => {
  const { store, durability, memory, spool, openStore, onChange = () => {}, onDrained } = options;
  const startedAt = performance.now();
  let hasUsedRedis = false;
  const circuit = watchCircuit(store, {
    isSafe: () => durability().ready,
    onChange: (isClosed) => {
      hasUsedRedis ||= isClosed;
      onChange(isClosed);
      if (isClosed) drain?.begin();
    },
  });
  const drain = spool && drainSpool({ spool, circuit, openStore, ...(onDrained && { onDrained }) });
  const deadlineMs = spool ? DEADLINE_MS.withSpool : DEADLINE_MS.alone;
  const times = createCommitTimes();
  const committer = createCommitter(store, { deadlineMs, ...(memory && { memory }) });

  /**
   * Spools a callback that Redis did not take. Unless Redis was known to be away, the outcome of the write is unknown
   * and Redis may have it, too: with the same ids it makes no second event.
   */
  const instead = async (error: unknown, append: (spool: Spool) => Promise<void>): Promise<void> => {
    if (!(error instanceof QueueUnavailableError)) throw error;
    circuit.open();
    if (spool === undefined) throw error;
    await append(spool);
    // Redis may have come back in between.
    if (circuit.isClosed) drain?.begin();
  };
  const away = (): QueueUnavailableError => {
    store.identity.assertOurs();
    return new QueueUnavailableError('Redis does not take callbacks; send it again');
  };

  return {
    commit: async (callback, receivedAt) => {
      try {
        if (!circuit.isClosed) throw away();
        const since = performance.now();
        await committer.commit(callback, receivedAt).finally(() => times.record(performance.now() - since));
      } catch (error) {
        const { text, lane, trace } = callback;
        await instead(error, (to) => to.append({ kind: 'callback', lane, receivedAt, text, ...(trace && { trace }) }));
      }
    },
    quarantine: async (entry) => {
      const append = (to: Spool): Promise<void> => to.append({ kind: 'quarantine', ...entry });
      try {
        if (!circuit.isClosed) throw away();
        memory?.admit(entry.body.length);
        const inTime = <T>(step: Promise<T>): Promise<T> => withDeadline(step, deadlineMs, { error: away });
        return await quarantineCallback(store, entry, { inTime });
      } catch (error) {
        await instead(error, append);
        return await quarantineId(entry.body);
      }
    },
    readiness: () => {
      const report = durability();
      const stats = spool?.stats();
      const more = stats && { spool: stats };
      if (circuit.isClosed && report.ready) return { ...report, ...more };
      // Settings that would lose acknowledged callbacks have to be mended by a person, who must hear of them.
      if (!report.problems.every(isPassing)) return { ...report, ready: false, ...more };
      const unused = { ...report, ready: false, durability: 'unknown' };
      const problems = report.problems.length > 0 ? report.problems : [NOT_ANSWERING];
      const isEarly = !hasUsedRedis && performance.now() - startedAt < FIRST_LOOK_MS;
      if (stats === undefined || isEarly) return { ...unused, problems, ...more };
      if (stats.refusing === null)
        return { ...unused, ready: true, durability: 'spool', mayBeLost: SPOOL_MAY_BE_LOST, problems, ...more };
      const spoolProblem = {
        setting: 'spool',
        value: stats.refusing,
        mend: 'bring Redis back, make room on its disk, or raise SPOOL_MAX_BYTES',
      };
      return { ...unused, problems: [...problems, spoolProblem], ...more };
    },
    commitP99Ms: times.p99Ms,
    close: async () => {
      const ended = Promise.all([committer.close(), drain?.stop()]);
      circuit.stop();
      // A Redis that does not answer must not keep the spool from being closed: a closed one opens faster.
      await Promise.race([ended, sleep(CLOSE_MS)]);
      await spool?.close();
    },
  };
};
