import { join } from 'node:path';
import { SPOOL_PROBE_BYTES } from '../redis/size-limits.ts';
import { writeFile } from './files.ts';
import type { SpoolState } from './state.ts';

export const PROBE = 'probe';
/** How often a disk that failed is tried again, in ms. */
const TRY_EVERY_MS = 1_000;

/** Whether the disk takes writes. */
export interface DiskWatch {
  /** Code of the error it failed with; undefined while it works. */
  readonly errorCode: string | undefined;
  failed(error: unknown): void;
  worked(): void;
  stop(): void;
}

/**
 * Notes failures, and tries a disk that failed until it works again: nobody sends callbacks to a receiver that says it
 * is not ready, so no callback would ever find out.
 */
export const watchDisk = ({ disk, dir, notice }: Pick<SpoolState, 'disk' | 'dir' | 'notice'>): DiskWatch => {
  let errorCode: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const failed = (error: unknown): void => {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    if (errorCode === undefined) notice({ kind: 'failing', errorCode: code });
    errorCode = code;
    if (!isStopped) timer ??= setTimeout(tryAgain, TRY_EVERY_MS).unref();
  };
  const worked = (): void => {
    if (errorCode !== undefined) notice({ kind: 'mended' });
    errorCode = undefined;
  };
  const tryAgain = async (): Promise<void> => {
    timer = undefined;
    const path = join(dir, PROBE);
    try {
      await writeFile(disk, path, [Buffer.alloc(SPOOL_PROBE_BYTES)], { flush: true });
      await disk.remove(path);
      worked();
    } catch (error) {
      await disk.remove(path).catch(() => {});
      failed(error);
    }
  };

  return {
    get errorCode() {
      return errorCode;
    },
    failed,
    worked,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
};
