import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/*
 * Measures the longest time in which a program served nobody: `node --import <this file> program.js`. On SIGUSR2 it
 * writes `stalled <ms> ms, worked <ms> ms` to stderr, and starts over. The second figure is the main thread's processor
 * time, which leaves out what other programs did on a busy machine.
 */
const look = (): { passed: number; worked: number } => {
  const { user, system } = process.threadCpuUsage();
  return { passed: performance.now(), worked: (user + system) / 1000 };
};

if (isMainThread) {
  let longest = { passed: 0, worked: 0 };
  let last = look();
  setInterval(() => {
    const now = look();
    longest = {
      passed: Math.max(longest.passed, now.passed - last.passed),
      worked: Math.max(longest.worked, now.worked - last.worked),
    };
    last = now;
  }, 1).unref();
  process.on('SIGUSR2', () => {
    process.stderr.write(`stalled ${longest.passed.toFixed(0)} ms, worked ${longest.worked.toFixed(0)} ms\n`);
    longest = { passed: 0, worked: 0 };
    last = look();
  });
}
