import type { DurabilityReport, Store } from '@clickrelay/queue';
import { Registry } from '@prometheus-io/client';
import { type ConditionToShow, setConditionMetrics } from './conditions.ts';
import { createLedgerWalk } from './ledger-walk.ts';
import type { ProcessMetrics, ProcessRole } from './process.ts';
import { type Metrics, type Published, readPublished } from './publish.ts';
import { readState, type State, setStateMetrics } from './state.ts';

export interface RenderOptions {
  readonly store: Store;
  /** The metrics of the rendering process: current, not as last published. */
  readonly own: ProcessMetrics;
  readonly durability: () => DurabilityReport;
  /** What is wrong now. @default nothing is judged here */
  readonly conditions?: () => Promise<readonly ConditionToShow[]>;
  readonly version: string;
  /** How long a read from Redis is shared between Prometheus servers, in ms. @default 2000 */
  readonly sharedMs?: number;
}

interface Rendered {
  readonly contentType: string;
  readonly text: string;
}

export interface Renderer {
  /** The answer to `GET /metrics`: the metrics of every process, and the state of Redis. */
  render(): Promise<Rendered>;
  stop(): Promise<void>;
}

/** How long Redis may take before it counts as away; a scrape has 10 s. */
const DEADLINE_MS = 3_000;
const SHARED_MS = 2_000;

type Seen = { readonly state: State; readonly published: readonly Published[] } | undefined;

export const createRenderer = (options: RenderOptions): Renderer => {
  const { store, own, durability, conditions, version, sharedMs = SHARED_MS } = options;
  const ledgerWalk = createLedgerWalk(store, own.process);
  let last: Promise<Seen> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  const look = (): Promise<Seen> => {
    if (last === undefined || performance.now() - lastAt > sharedMs) {
      lastAt = performance.now();
      last = lookNow(store);
    }
    return last;
  };

  const render = async (): Promise<Rendered> => {
    const seen = await look();
    if (seen !== undefined) ledgerWalk.ask(seen.state.ledger);
    const others = seen?.published.filter(({ process }) => process !== own.process) ?? [];
    const processes: Record<ProcessRole, number> = { receiver: 0, worker: 0, api: 0 };
    processes[own.role]++;
    for (const { role, isRunning } of others) if (isRunning) processes[role]++;

    const present = new Registry();
    setStateMetrics(present, { state: seen?.state, durability: durability(), processes, version });
    if (conditions !== undefined) setConditionMetrics(present, await conditions());
    const families: Metrics[] = [await present.getMetricsAsJSON(), await own.registry.getMetricsAsJSON()];
    for (const { isRunning, metrics } of others) {
      families.push(isRunning ? metrics : metrics.filter(({ type }) => !isState(type)));
    }
    return {
      contentType: Registry.PROMETHEUS_CONTENT_TYPE,
      text: await Registry.aggregate(families).metrics(),
    };
  };

  return { render, stop: () => ledgerWalk.stop() };
};

const isState = (type: unknown): boolean => type !== 'counter' && type !== 'histogram';

const lookNow = async (store: Store): Promise<Seen> => {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, undefined);
  });
  try {
    store.assertConnected();
    const looking = Promise.all([readState(store), readPublished(store)]);
    const found = await Promise.race([looking, tooLate]);
    return found && { state: found[0], published: found[1] };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
};
