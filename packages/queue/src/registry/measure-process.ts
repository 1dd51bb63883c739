import { hash } from 'node:crypto';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { MINUTE_MS } from '@clickrelay/core';
import type { Store } from '../redis/store.ts';
import type { CommonFacts, DiskFacts } from './part.ts';
import { timeOf } from './parts.ts';

/** What a process measures of itself and its machine at each beat. */
export type Measured = Pick<CommonFacts, 'roundTripMs' | 'clockOffsetMs' | 'clockJumpMs' | 'eventLoop'>;

/** Keep what is returned: a beat is compared with the one before. */
export const createMeasures = (store: Store): (() => Promise<Measured & { readonly nowMs: number }>) => {
  let busy = performance.eventLoopUtilization();
  let apart = Date.now() - performance.now();
  let jumps: { at: number; ms: number }[] = [];

  return async () => {
    const asked = performance.now();
    const nowMs = await timeOf(store);
    const answered = performance.now();
    const wallMs = Date.now();

    const before = { busy, apart };
    busy = performance.eventLoopUtilization();
    apart = wallMs - answered;
    const ms = Math.abs(apart - before.apart);
    jumps = [...jumps.filter(({ at }) => answered - at < MINUTE_MS), { at: answered, ms }];
    const roundTripMs = answered - asked;
    return {
      nowMs,
      roundTripMs: toTenths(roundTripMs),
      // Redis read its clock in the middle, as far as anybody can tell.
      clockOffsetMs: Math.round(wallMs - roundTripMs / 2 - nowMs),
      clockJumpMs: Math.round(Math.max(...jumps.map((jump) => jump.ms))),
      eventLoop: Math.round(performance.eventLoopUtilization(busy, before.busy).utilization * 1_000) / 1_000,
    };
  };
};

const toTenths = (ms: number): number => Math.round(ms * 10) / 10;

/** A folder whose disk is told. */
export interface WatchedDisk {
  readonly of: DiskFacts['of'];
  readonly dir: string;
  /** How much more may be written there. */
  readonly neededBytes: () => number | Promise<number>;
}

/** Disks that cannot be read are left out: others say why. */
export const measureDisks = async (disks: readonly WatchedDisk[]): Promise<DiskFacts[]> => {
  const found = await Promise.all(
    disks.map(async ({ of, dir, neededBytes }): Promise<DiskFacts[]> => {
      try {
        const { bavail, blocks, bsize } = await statfs(dir);
        return [{ of, freeBytes: bavail * bsize, totalBytes: blocks * bsize, neededBytes: await neededBytes() }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
};

/** DATA_DIR, and what a rewrite of our own Redis needs in it: its file once more, and what is written meanwhile. */
export const dataDisk = (dir: string): WatchedDisk[] =>
  dir === ''
    ? []
    : [{ of: 'data', dir, neededBytes: async () => 2 * (await sizeOf(join(dir, 'redis', 'appendonlydir'))) }];

const sizeOf = async (dir: string): Promise<number> => {
  const names = await readdir(dir).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** A short hash of each of these settings: living parts of a role must have the same. */
export const hashSettings = <Config extends object>(
  config: Config,
  names: readonly (keyof Config & string)[],
): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => {
      const value: unknown = config[name];
      const text = JSON.stringify(value instanceof Set ? [...value].sort() : (value ?? null));
      return [name, hash('sha256', text).slice(0, 12)];
    }),
  );
