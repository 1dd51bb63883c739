import { closeSync, fdatasync, openSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In ms. */
const TICK = 5;
/** In ms: the most that one tick adds. A longer tick means that the machine paused, or that other processes ran. */
const MOST_OF_A_TICK = 15;
/** In ms: how often to probe the disk, and how long it may take before the clock stops. */
const DISK_EVERY = 100;
const DISK_PATIENCE = 25;

let fair = 0;
let last = performance.now();
let isTicking = false;
let disk: number | undefined;
let askedDiskAt = 0;
let isDiskAsked = false;

/**
 * A clock for upper bounds that must hold on a busy machine. In ms, like `performance.now()`, but it stops while the
 * machine stands still: while this process gets no turn, or the disk, which a durable Redis waits for, does not answer.
 * It does count a program that sleeps too long, or works too long in another process. It does not count what this
 * process computes without a pause: measure that with `process.threadCpuUsage()`.
 */
export const fairNow = (): number => {
  if (!isTicking) {
    setInterval(tick, TICK).unref();
    isTicking = true;
    last = performance.now();
  }
  return fair + Math.min(performance.now() - last, MOST_OF_A_TICK);
};

const tick = (): void => {
  const now = performance.now();
  if (!(isDiskAsked && now - askedDiskAt > DISK_PATIENCE)) fair += Math.min(now - last, MOST_OF_A_TICK);
  last = now;
  // In tests only: a benchmark needs the disk for itself.
  if (process.env['VITEST'] !== undefined && !isDiskAsked && now - askedDiskAt > DISK_EVERY) askDisk(now);
};

const askDisk = (now: number): void => {
  disk ??= openScratch();
  const file = disk;
  askedDiskAt = now;
  isDiskAsked = true;
  const answered = () => {
    isDiskAsked = false;
  };
  write(file, 'x', 0, (error) => (error === null ? fdatasync(file, answered) : answered()));
};

/** Opens a file on the disk of the Redis servers; it disappears with this process. */
const openScratch = (): number => {
  const path = join(tmpdir(), `clickrelay-clock-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const file = openSync(path, 'wx');
  unlinkSync(path);
  process.once('exit', () => closeSync(file));
  return file;
};
