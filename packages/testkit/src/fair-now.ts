import { closeSync, fdatasync, openSync, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In ms. */
const TICK = 5;
/** In ms: what one tick may add. A longer one is a pause of the machine, or others had its turn. */
const MOST_OF_A_TICK = 15;
/** In ms: how often the disk is asked, and how long it may take before the clock stops. */
const DISK_EVERY = 100;
const DISK_PATIENCE = 25;

let fair = 0;
let last = performance.now();
let isTicking = false;
let disk: number | undefined;
let askedDiskAt = 0;
let isDiskAsked = false;

/**
 * A clock for upper bounds that have to hold on a busy machine: in ms, like `performance.now()`, but without the time in
 * which the machine stood still: when this process had no turn, or the disk, which a Redis that loses nothing waits for,
 * did not answer. A program that sleeps too long, or works too long in another process, is seen by it as by any
 * clock. What this process itself computes without a pause is not: measure that by `process.threadCpuUsage()`.
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
  // Tests only: what measures how fast something is wants the disk for itself.
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

/** Beside the folders of the Redis servers; gone with this process. */
const openScratch = (): number => {
  const path = join(tmpdir(), `clickrelay-clock-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const file = openSync(path, 'wx');
  unlinkSync(path);
  process.once('exit', () => closeSync(file));
  return file;
};
