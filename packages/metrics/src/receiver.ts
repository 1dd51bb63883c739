import type { Lane } from '@clickrelay/core';
import type { Readiness } from '@clickrelay/queue';
import { Gauge, type Registry } from 'prom-client';
import { type Cell, PlainCounter, PlainHistogram } from './plain.ts';

export interface ReceiverMetrics {
  accepted(lane: Lane, commitMs: number): void;
  quarantined(): void;
  /** @param code of the error that the sender was told */
  refused(code: string): void;
}

/** From what a disk of today takes to the deadlines of a commit. In seconds. */
const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** What a receiver counts, and what it knows of itself. */
export const createReceiverMetrics = (registry: Registry, readiness: () => Readiness): ReceiverMetrics => {
  const registers = [registry];
  const callbacks = new PlainCounter({
    name: 'clickrelay_callbacks_total',
    help: 'Callbacks and what became of them: accepted, quarantined, refused; of those refused the error code',
    labelNames: ['result', 'lane', 'reason'],
    registers,
  });
  const commit = new PlainHistogram({
    name: 'clickrelay_commit_seconds',
    help: 'How long callbacks waited until they were on stable storage, in Redis or in the spool',
    labelNames: ['lane'],
    buckets: COMMIT_BUCKETS,
    registers,
  });
  const accepted = (lane: Lane) => ({
    count: callbacks.cell({ result: 'accepted', lane, reason: '' }),
    commit: commit.series({ lane }),
  });
  const lanes = { messages: accepted('messages'), statuses: accepted('statuses') };
  const quarantined = callbacks.cell({ result: 'quarantined', lane: '', reason: '' });
  const refused = new Map<string, Cell>();
  const refusedFor = (reason: string): Cell => {
    const cell = refused.get(reason) ?? callbacks.cell({ result: 'refused', lane: '', reason });
    refused.set(reason, cell);
    return cell;
  };
  // There from the beginning, so that the first ones show as an increase.
  for (const reason of ['queue_unavailable', 'not_ready', 'unauthorized_callback', 'callback_too_large']) {
    refusedFor(reason);
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
  spool('bytes', 'What the spool takes on its disk', ({ bytes }) => bytes);
  spool('max_bytes', 'What it may take: `SPOOL_MAX_BYTES`', ({ maxBytes }) => maxBytes);
  spool('oldest_age_seconds', 'Age of the oldest callback in it; 0 when it is empty', ({ oldestAt }) =>
    oldestAt === null ? 0 : Math.max(Date.now() - Date.parse(oldestAt), 0) / 1_000,
  );
  spool('set_aside_files', 'Files in `set-aside`, for a person to look at', ({ setAside }) => setAside);
  spool('refusing', 'Whether it would refuse a callback now: full, or its disk broken', ({ refusing }) =>
    refusing === null ? 0 : 1,
  );

  return {
    accepted: (lane, commitMs) => {
      const { count, commit: series } = lanes[lane];
      count.value++;
      series.observe(commitMs / 1_000);
    },
    quarantined: () => {
      quarantined.value++;
    },
    refused: (code) => {
      refusedFor(code).value++;
    },
  };
};
