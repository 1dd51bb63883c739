import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from './run.ts';

const mount = (dir: string, ...options: string[]): void => {
  execFileSync('mount', [...options, 'tmpfs', dir], { stdio: 'pipe' });
};

/** For `Row.cannotRun`. */
export const cannotMount = async (): Promise<string | undefined> => {
  const dir = mkdtempSync(join(tmpdir(), 'clickrelay-disk-'));
  try {
    mount(dir, '-t', 'tmpfs', '-o', 'size=1m');
    execFileSync('umount', [dir], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'a full disk needs a mount of tmpfs, which this machine does not allow';
  } finally {
    rmdirSync(dir);
  }
};

/** A folder with a disk of its own, until the end of the run. */
export const smallDisk = (run: Run, size: string): { dir: string; grow(): void } => {
  const dir = mkdtempSync(join(tmpdir(), 'clickrelay-disk-'));
  mount(dir, '-t', 'tmpfs', '-o', `size=${size}`);
  run.defer(() => {
    execFileSync('umount', ['-l', dir], { stdio: 'pipe' });
    rmdirSync(dir);
  });
  return { dir, grow: () => mount(dir, '-o', 'remount,size=200m') };
};
