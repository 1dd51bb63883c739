import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const SLOWEST = 5;

/**
 * Ends a run with what it took, so that a slow file is seen on the day it comes, and with one line that people and CI can
 * read: `N passed, N failed`.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    // Errors outside any test, and files that did not load, count as failures too.
    let failed = unhandledErrors.length;
    for (const module of modules) {
      if (module.errors().length > 0) failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
      }
    }
    const slowest = modules
      .map((module) => ({ file: relative(process.cwd(), module.moduleId), ms: module.diagnostic().duration }))
      .sort((a, b) => b.ms - a.ms)
      .slice(0, SLOWEST);
    console.log(`slowest: ${slowest.map(({ file, ms }) => `${file} ${(ms / 1_000).toFixed(0)} s`).join(', ')}`);
    const cpuSeconds = readCpuSeconds();
    if (cpuSeconds !== undefined) console.log(`${cpuSeconds.toFixed(0)} s of processor time`);
    console.log(`${passed} passed, ${failed} failed`);
  }
}

/** A clock tick of /proc, in seconds. */
const TICK_S = 0.01;

/** What this process and all that it started have used. @returns undefined where there is no /proc */
const readCpuSeconds = (): number | undefined => {
  try {
    return cpuTicks('self') * TICK_S;
  } catch {
    return undefined;
  }
};

/** Of a process, of its ended children, and of those that still run. */
const cpuTicks = (pid: string): number => {
  // The name, in brackets, may hold spaces. After it: utime, stime, and both again for ended children.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const children = readFileSync(`/proc/${pid}/task/${pid === 'self' ? process.pid : pid}/children`, 'utf8');
  return children.split(' ').reduce((sum, child) => sum + (child.trim() === '' ? 0 : cpuTicks(child)), ticks);
};
