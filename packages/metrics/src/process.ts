import { hostname } from 'node:os';
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from '@prometheus-io/client';

export type ProcessRole = 'receiver' | 'worker' | 'api';

/** How often the figures of the event loop start afresh, in ms. */
const LOOP_MS = 10_000;

export interface ProcessMetrics {
  readonly role: ProcessRole;
  /** The unique name of this process: `host:pid`. */
  readonly process: string;
  readonly registry: Registry;
  stop(): void;
}

/** Creates a registry whose metrics carry the role and name of this process, and registers those of every process. */
export const createProcessMetrics = (role: ProcessRole): ProcessMetrics => {
  const name = `${hostname()}:${process.pid}`;
  const registry = new Registry();
  registry.setDefaultLabels({ role, process: name });
  const registers = [registry];

  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, user and system',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Memory of its JavaScript objects',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process began, in seconds since 1970',
    registers,
  }).set(performance.timeOrigin / 1_000);

  // Sampled by a timer rather than on each scrape, because several Prometheus servers may scrape.
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let utilization: EventLoopUtilization = performance.eventLoopUtilization();
  const lag = new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: '99th percentile of the delay of the event loop in the last 10 seconds',
    registers,
  });
  const busy = new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the last 10 seconds in which the event loop was busy; near 1 the process is at its limit',
    registers,
  });
  const look = (): void => {
    // The monitor's own resolution, 20 ms, is part of what it measures.
    if (delay.count > 0) lag.set(Math.max(delay.percentile(99) / 1e9 - 0.02, 0));
    delay.reset();
    const before = utilization;
    utilization = performance.eventLoopUtilization();
    busy.set(performance.eventLoopUtilization(utilization, before).utilization);
  };
  const timer = setInterval(look, LOOP_MS);
  timer.unref();

  return {
    role,
    process: name,
    registry,
    stop: () => {
      clearInterval(timer);
      delay.disable();
    },
  };
};
