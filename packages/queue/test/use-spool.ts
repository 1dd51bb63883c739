import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { SpoolEntry } from '../src/spool/record.ts';
import { openSpool, type Spool, type SpoolOptions } from '../src/spool/spool.ts';
import type { SpoolNotice } from '../src/spool/state.ts';
import { RECEIVED_AT } from './sample-events.ts';

export interface TestSpool {
  readonly dir: string;
  /** The spool that was opened last; closed after the test. */
  spool: Spool;
  readonly notices: SpoolNotice[];
  open(options?: Partial<SpoolOptions>): Promise<Spool>;
  reopen(options?: Partial<SpoolOptions>): Promise<Spool>;
  close(): Promise<void>;
  segments(): string[];
  /** The path of the segment when there is one, and one only. */
  onlySegment(): string;
}

/** Gives each test an empty folder for a spool. */
export const useSpool = (): TestSpool => {
  let dir: string;
  let spool: Spool | undefined;
  const notices: SpoolNotice[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'clickrelay-spool-'));
    notices.length = 0;
  });
  afterEach(async () => {
    await close();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = async (options: Partial<SpoolOptions> = {}): Promise<Spool> => {
    spool = await openSpool({
      dir,
      patienceMs: 0,
      deadlineMs: 20_000,
      onNotice: (notice) => notices.push(notice),
      ...options,
    });
    return spool;
  };
  const close = async (): Promise<void> => {
    await spool?.close();
    spool = undefined;
  };
  const segments = (): string[] => readdirSync(dir).filter((name) => name.endsWith('.spool'));

  return {
    get dir() {
      return dir;
    },
    get spool() {
      if (spool === undefined) throw new Error('no spool is open');
      return spool;
    },
    set spool(opened) {
      spool = opened;
    },
    notices,
    open,
    reopen: async (options) => {
      await close();
      return open(options);
    },
    close,
    segments,
    onlySegment: () => {
      expect(segments()).toHaveLength(1);
      return join(dir, segments()[0] as string);
    },
  };
};

export const callback = (text: string, lane: 'messages' | 'statuses' = 'messages'): SpoolEntry => ({
  kind: 'callback',
  lane,
  receivedAt: RECEIVED_AT,
  text,
});

export const numbered = (from: number, to: number): SpoolEntry[] =>
  Array.from({ length: to - from }, (_, index) => callback(`callback ${from + index}`));

export const numberOf = (entry: SpoolEntry): number =>
  entry.kind === 'callback' ? Number(String(entry.text).replace('callback ', '')) : Number.NaN;

export const appendAll = async (to: Spool, entries: readonly SpoolEntry[]): Promise<void> => {
  await Promise.all(entries.map((entry) => to.append(entry)));
};

/** Everything that waits, and takes it away. */
export const drain = async (from: Spool): Promise<SpoolEntry[]> => {
  const entries: SpoolEntry[] = [];
  for (let batch = await from.read(); batch !== undefined; batch = await from.read()) {
    entries.push(...batch.entries);
    await from.done(batch);
  }
  return entries;
};

/** Cuts the footer off, as if the process had died before it was written. */
export const footerless = (segment: string): void => truncateSync(segment, statSync(segment).size - 12);
