import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisServer } from '@clickrelay/testkit';
import type { Run } from './run.ts';

/** Says why this machine cannot simulate a power cut, or undefined. */
export const cannotCutPower = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux') return 'a power cut is played with LD_PRELOAD and /proc, on Linux only';
  try {
    execFileSync('gcc', ['--version'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'a power cut is played with a library in C, and there is no gcc here';
  }
};

/** Makes a Redis record what it has synced, and cuts its files back to that. */
export interface PowerSwitch {
  /** The environment of the Redis. */
  readonly env: Record<string, string>;
  /** Cuts the files of the killed Redis back to what was synced. @returns how many bytes are gone */
  cut(redis: RedisServer): number;
}

const SOURCE = fileURLToPath(new URL('../../../packages/queue/test/synced-length.c', import.meta.url));

export const createPowerSwitch = (run: Run): PowerSwitch => {
  const dir = mkdtempSync(join(tmpdir(), 'clickrelay-power-'));
  run.defer(() => rmSync(dir, { recursive: true, force: true }));
  const [library, notes] = [join(dir, 'synced-length.so'), join(dir, 'notes')];
  mkdirSync(notes);
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'], { stdio: 'pipe' });
  return {
    env: { LD_PRELOAD: library, SYNCED_LENGTHS: notes },
    cut: (redis) => {
      let gone = 0;
      const folder = join(redis.dir, 'appendonlydir');
      // The other files are complete: they are written under another name, synced, and renamed.
      for (const name of readdirSync(folder).filter((file) => file.endsWith('.incr.aof'))) {
        const { size } = statSync(join(folder, name));
        const synced = Math.min(Number(readFileSync(join(notes, name), 'utf8')), size);
        gone += size - synced;
        truncateSync(join(folder, name), synced);
      }
      return gone;
    },
  };
};
