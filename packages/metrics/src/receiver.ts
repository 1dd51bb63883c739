import type { Lane } from '@clickrelay/core';
import type { Readiness } from '@clickrelay/queue';
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

export interface ReceiverMetrics {
  accepted(lane: Lane, commitMs: number): void;
  quarantined(): void;
  /** @param code the error code that the sender got */
  refused(code: string): void;
}

/** In seconds: from what a fast disk takes to the deadline of a commit. */
const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

const LANES: readonly Lane[] = ['messages', 'statuses'];

/** What a receiver counts, and what it knows of itself. */
export const createReceiverMetrics = (registry: Registry, readiness: () => Readiness): ReceiverMetrics => {
  const registers = [registry];
  const callbacks = new Counter({
    name: 'clickrelay_callbacks_total',
    help: 'Callbacks by result: accepted, quarantined, refused; the reason is the error code of a refusal',
    labelNames: ['result', 'lane', 'reason'],
    registers,
  });
  const commit = new Histogram({
    name: 'clickrelay_commit_seconds',
    help: 'Time until a callback was on stable storage, in Redis or in the spool',
    labelNames: ['lane'],
    buckets: COMMIT_BUCKETS,
    registers,
  });
  // There from the beginning, so that the first ones show as an increase.
  for (const lane of LANES) {
    callbacks.inc({ result: 'accepted', lane, reason: '' }, 0);
    commit.zero({ lane });
  }
  callbacks.inc({ result: 'quarantined', lane: '', reason: '' }, 0);
  for (const reason of [
    'queue_unavailable',
    'not_ready',
    'missing_credential',
    'wrong_credential',
    'callback_too_large',
  ]) {
    callbacks.inc({ result: 'refused', lane: '', reason }, 0);
  }

  new Gauge({
    name: 'clickrelay_receiver_ready',
    help: 'Whether a callback sent now would be accepted',
    registers,
    collect() {
      this.set(readiness().ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'clickrelay_receiver_durability',
    help: '1 for where callbacks are kept now: always, everysec, none, spool, unknown',
    labelNames: ['durability'],
    registers,
    collect() {
      this.reset();
      this.set({ durability: readiness().durability }, 1);
    },
  });
  const spool = (name: string, help: string, read: (stats: NonNullable<Readiness['spool']>) => number): void => {
    new Gauge({
      name: `clickrelay_spool_${name}`,
      help,
      registers,
      collect() {
        const stats = readiness().spool;
        // A receiver without a spool has no figures of one.
        if (stats === undefined) this.remove();
        else this.set(read(stats));
      },
    });
  };
  spool('records', 'Callbacks in the spool, waiting for Redis', ({ records }) => records);
  spool('bytes', 'Disk space that the spool takes', ({ bytes }) => bytes);
  spool('max_bytes', 'Disk space that it may take: `SPOOL_MAX_BYTES`', ({ maxBytes }) => maxBytes);
  spool('oldest_age_seconds', 'Age of the oldest callback in it; 0 when it is empty', ({ oldestAt }) =>
    oldestAt === null ? 0 : Math.max(Date.now() - Date.parse(oldestAt), 0) / 1_000,
  );
  spool('set_aside_files', 'Files in `set-aside`, for a person to look at', ({ setAside }) => setAside);
  spool('refusing', 'Whether it would refuse a callback now: full, or its disk broken', ({ refusing }) =>
    refusing === null ? 0 : 1,
  );

  return {
    accepted: (lane, commitMs) => {
      callbacks.inc({ result: 'accepted', lane, reason: '' });
      commit.observe({ lane }, commitMs / 1_000);
    },
    quarantined: () => callbacks.inc({ result: 'quarantined', lane: '', reason: '' }),
    refused: (code) => callbacks.inc({ result: 'refused', lane: '', reason: code }),
  };
};
