import type { Lane } from '@clickrelay/core';
import {
  type DurabilityReport,
  type Figures,
  type LedgerCheck,
  measureQuarantine,
  readFigures,
  readLedgerCheck,
  readLogBytes,
  readMemory,
  type Store,
} from '@clickrelay/queue';
import { Gauge, type Registry } from '@prometheus-io/client';
import type { ProcessRole } from './process.ts';

/** The state that Redis holds; the same for every process that reads it. */
export interface State {
  readonly figures: Figures;
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number; readonly share: number };
  readonly eventLogBytes: number;
  readonly quarantine: { readonly callbacks: number; readonly bytes: number };
  readonly ledger: LedgerCheck | undefined;
}

export const readState = async (store: Store): Promise<State> => {
  const [figures, memory, { total }, quarantine, ledger] = await Promise.all([
    readFigures(store),
    readMemory(store),
    readLogBytes(store),
    measureQuarantine(store),
    readLedgerCheck(store),
  ]);
  return { figures, memory, eventLogBytes: total, quarantine, ledger };
};

export interface Present {
  /** Undefined while Redis does not answer. */
  readonly state: State | undefined;
  readonly durability: DurabilityReport;
  readonly processes: Readonly<Record<ProcessRole, number>>;
  readonly version: string;
}

const DESTINATION_STATES = ['sending', 'paused', 'throttled', 'failing'] as const;
const LANES: readonly Lane[] = ['messages', 'statuses'];

/** Sets the gauges of the current state. */
export const setStateMetrics = (registry: Registry, { state, durability, processes, version }: Present): void => {
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> =>
    new Gauge({ name: `clickrelay_${name}`, help, labelNames, registers: [registry] });

  gauge('build_info', 'Always 1, with the version', ['version']).set({ version }, 1);
  gauge('redis_up', 'Whether Redis answered; while it does not, only the figures of the scraped API are there').set(
    state === undefined ? 0 : 1,
  );
  gauge(
    'durability_ready',
    'Whether Redis is as safe as `DURABILITY` (the mode) asks; the durability is what it provides',
    ['mode', 'durability'],
  ).set({ mode: durability.mode, durability: durability.durability }, durability.ready ? 1 : 0);

  const count = gauge('processes', 'Processes that run against this Redis, as of the last seconds', ['role']);
  const used = gauge('redis_memory_used_bytes', 'Memory that Redis uses; on a Cluster, that of the fullest master');
  const max = gauge('redis_memory_max_bytes', 'Its `maxmemory`; 0 without one');
  const share = gauge(
    'redis_memory_used_ratio',
    'Share of `maxmemory` that is used; 0 without one. Callbacks are refused at 0.9',
  );
  const logBytes = gauge('event_log_bytes', 'Memory that the event log takes');
  const groups = gauge('ingest_groups', 'Groups of callbacks that are not yet routed', ['lane']);
  const groupAge = gauge('ingest_oldest_age_seconds', 'Age of the oldest of these groups; 0 when there is none', [
    'lane',
  ]);
  const jobs = gauge(
    'deliveries',
    'Deliveries in the queue of a destination: waiting, delayed until their next attempt, active',
    ['destination', 'state'],
  );
  const age = gauge(
    'delivery_oldest_age_seconds',
    'How long the oldest delivery in the queue of a destination has been there; 0 when there is none',
    ['destination'],
  );
  const dead = gauge('dead_letters', 'Deliveries that failed for good and wait for a person', ['destination']);
  const leases = gauge('leases', 'Deliveries of a pull destination that are leased now', ['destination']);
  const destinationState = gauge(
    'destination_state',
    '1 for the state of a destination: sending, paused (by hand, or it answered 410), ' +
      'throttled (it asked for a pause), failing (its circuit is open)',
    ['destination', 'state'],
  );
  const quarantined = gauge('quarantined_callbacks', 'Callbacks in quarantine');
  const quarantineBytes = gauge('quarantined_bytes', 'Memory that they take');
  const unaccounted = gauge(
    'ledger_unaccounted',
    'Deliveries that nobody will ever send, as of the last check of the ledger: anything but 0 is an alarm',
    ['destination'],
  );
  const checkedAt = gauge(
    'ledger_checked_timestamp_seconds',
    'When the ledger was last checked to its end, in seconds since 1970; 0 before the first time',
  );
  if (state === undefined) return;

  for (const [role, running] of Object.entries(processes)) count.set({ role }, running);
  const { figures, memory, quarantine, ledger } = state;
  used.set(memory.usedBytes);
  max.set(memory.maxBytes);
  share.set(memory.share);
  logBytes.set(state.eventLogBytes);
  const now = Date.now();
  const ageOf = (oldestAt: number | null): number => (oldestAt === null ? 0 : Math.max(now - oldestAt, 0) / 1_000);
  for (const lane of LANES) {
    const { waiting, delayed, active, oldestAt } = figures.ingest[lane];
    groups.set({ lane }, waiting + delayed + active);
    groupAge.set({ lane }, ageOf(oldestAt));
  }
  for (const { id: destination, type, ...found } of figures.destinations) {
    for (const state of ['waiting', 'delayed', 'active'] as const) jobs.set({ destination, state }, found[state]);
    age.set({ destination }, ageOf(found.oldestAt));
    dead.set({ destination }, found.deadLetters);
    if (type === 'pull') leases.set({ destination }, found.active);
    for (const one of DESTINATION_STATES)
      destinationState.set({ destination, state: one }, one === found.state ? 1 : 0);
    if (ledger !== undefined) unaccounted.set({ destination }, ledger.unaccounted[destination] ?? 0);
  }
  quarantined.set(quarantine.callbacks);
  quarantineBytes.set(quarantine.bytes);
  checkedAt.set(ledger === undefined ? 0 : Date.parse(ledger.checkedAt) / 1_000);
};
