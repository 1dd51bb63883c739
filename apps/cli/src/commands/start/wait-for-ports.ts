import { setTimeout as sleep } from 'node:timers/promises';
import { readRunFile } from '../../data-dir.ts';
import { checkPortFree } from '../../ports.ts';
import type { Plan } from './plan.ts';
import { GRACE_MS } from './stop-parts.ts';

/** Fails if a port is busy, but waits first for parts of an earlier run, one that was killed, to release it. */
export const waitForPorts = async (
  { config, roles, ports, dataDir }: Plan,
  say: (line: string) => void,
): Promise<void> => {
  const earlier = readRunFile(dataDir);
  const deadline = performance.now() + GRACE_MS + 5000;
  for (let told = false; ; ) {
    try {
      if (roles.includes('receiver')) await checkPortFree('PORT', config.HOST, ports.receiver);
      if (roles.includes('api')) await checkPortFree('API_PORT', config.API_HOST, ports.api);
      return;
    } catch (error) {
      const leftovers = Object.entries(earlier?.pids ?? {}).filter(([name, pid]) => name !== 'redis' && isAlive(pid));
      if (leftovers.length === 0 || performance.now() > deadline) throw error;
      if (!told) say(`waiting for the ${leftovers.map(([name]) => name).join(' and ')} of an earlier run to end`);
      told = true;
      await sleep(200);
    }
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
