import { workerData } from 'node:worker_threads';
import { LIMITS, TOO_SLOW } from './transform-limits.ts';

const { startedAt } = workerData as { startedAt: Float64Array };

const LOOK_MS = 50;

setInterval(() => {
  const since = startedAt[0] ?? 0;
  const { user, system } = process.cpuUsage();
  const isTooSlow = since > 0 && user + system - since > LIMITS.cpuMs * 1000;
  // Ends the process at once, whatever its other thread is doing, and leaves no core dump.
  if (isTooSlow) process.kill(process.pid, TOO_SLOW);
}, LOOK_MS);
