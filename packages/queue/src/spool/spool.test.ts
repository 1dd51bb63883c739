import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fairNow, startProgram, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { openSpool, type Spool, type SpoolNotice, type SpoolOptions } from './spool.ts';
import type { SpoolEntry } from './spool-segment.ts';

let dir: string;
let spool: Spool | undefined;
let notices: SpoolNotice[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clickrelay-spool-'));
  notices = [];
});
afterEach(async () => {
  await spool?.close();
  spool = undefined;
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

const reopen = async (options: Partial<SpoolOptions> = {}): Promise<Spool> => {
  await spool?.close();
  return open(options);
};

const callback = (text: string, lane: 'messages' | 'statuses' = 'messages'): SpoolEntry => ({
  kind: 'callback',
  lane,
  receivedAt: RECEIVED_AT,
  text,
});

const numbered = (from: number, to: number): SpoolEntry[] =>
  Array.from({ length: to - from }, (_, index) => callback(`callback ${from + index}`));

const numberOf = (entry: SpoolEntry): number =>
  entry.kind === 'callback' ? Number(String(entry.text).replace('callback ', '')) : Number.NaN;

const appendAll = async (to: Spool, entries: readonly SpoolEntry[]): Promise<void> => {
  await Promise.all(entries.map((entry) => to.append(entry)));
};

/** Everything that waits, and takes it away. */
const drain = async (from: Spool): Promise<SpoolEntry[]> => {
  const entries: SpoolEntry[] = [];
  for (let batch = await from.read(); batch !== undefined; batch = await from.read()) {
    entries.push(...batch.entries);
    await from.done(batch);
  }
  return entries;
};

const segments = (): string[] => readdirSync(dir).filter((name) => name.endsWith('.spool'));
const onlySegment = (): string => {
  expect(segments()).toHaveLength(1);
  return join(dir, segments()[0] as string);
};
const footerless = (path: string): void => truncateSync(path, statSync(path).size - 12);

describe('a spooled callback', () => {
  it('comes out as it went in, in order, and leaves nothing behind', async () => {
    const entries: SpoolEntry[] = [
      callback('{"event":{"moText":[{"content":"é😀\\ud800\\n"}]}}'),
      callback('', 'statuses'),
      { ...callback('traced'), trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } as SpoolEntry,
      callback('x'.repeat(3_000_000)),
      {
        kind: 'quarantine',
        reason: 'callback must be UTF-8',
        receivedAt: RECEIVED_AT,
        body: Buffer.from([0xff, 0, 1, 0x43, 0x52, 0]),
      },
      ...numbered(0, 1_000),
    ];
    await open();
    await appendAll(spool as Spool, entries);
    expect((spool as Spool).stats()).toMatchObject({ records: entries.length, oldestAt: RECEIVED_AT, refusing: null });
    expect(await drain(spool as Spool)).toEqual(entries);
    expect((spool as Spool).stats()).toMatchObject({ records: 0, bytes: 0, oldestAt: null, setAside: 0 });
    expect(readdirSync(dir)).toEqual(['lock']);
  });

  it('is there after a restart, and only what had not been taken', async () => {
    await open();
    await appendAll(spool as Spool, numbered(0, 600));
    const batch = await (spool as Spool).read();
    await (spool as Spool).done(batch as NonNullable<typeof batch>);
    await reopen();
    expect((spool as Spool).stats().records).toBe(600 - 256);
    await appendAll(spool as Spool, numbered(600, 700));
    await reopen();
    expect(await drain(spool as Spool)).toEqual(numbered(256, 700));
    expect(notices).toEqual([]);
  });

  it('is spread over files of a bounded size', async () => {
    await open({ segmentBytes: 10_000 });
    for (let i = 0; i < 20; i++) await appendAll(spool as Spool, numbered(i * 100, i * 100 + 100));
    expect(segments().length).toBeGreaterThanOrEqual(8);
    await reopen({ segmentBytes: 10_000 });
    expect((spool as Spool).stats().records).toBe(2_000);
    expect(await drain(spool as Spool)).toEqual(numbered(0, 2_000));
    expect(segments()).toEqual([]);
  });

  it('may be taken while others come', async () => {
    await open({ segmentBytes: 2_000 });
    const taken: SpoolEntry[] = [];
    const appending = (async () => {
      for (let i = 0; i < 2_000; i += 10) await appendAll(spool as Spool, numbered(i, i + 10));
    })();
    const all = (async () => {
      while (taken.length < 2_000) {
        taken.push(...(await drain(spool as Spool)));
        await new Promise(setImmediate);
      }
    })();
    await Promise.all([appending, all]);
    expect(taken).toEqual(numbered(0, 2_000));
  });
});

describe('a spool after a crash', () => {
  it('loses nothing but what was torn, wherever the last write was cut', async () => {
    await open();
    await appendAll(spool as Spool, numbered(0, 20));
    await spool?.close();
    const whole = readFileSync(onlySegment());
    const sample = numbered(0, 20);
    const ends: number[] = [];
    for (let at = 0; at < whole.length - 12; ) {
      at += 16 + whole.readUInt32LE(at + 4);
      ends.push(at);
    }
    for (let cut = 0; cut < whole.length; cut += 7) {
      const path = onlySegment();
      writeFileSync(path, whole.subarray(0, cut));
      notices = [];
      await open();
      const kept = ends.filter((end) => end <= cut).length;
      expect((spool as Spool).stats().records).toBe(kept);
      const isTorn = cut !== 0 && !ends.includes(cut);
      expect(notices.map(({ kind }) => kind)).toEqual(isTorn ? ['torn'] : []);
      expect(await drain(spool as Spool)).toEqual(sample.slice(0, kept));
      await spool?.close();
      spool = undefined;
      writeFileSync(path, whole);
    }
  });

  it('takes a tail of zeros, as a power cut leaves it, for torn', async () => {
    await open();
    await appendAll(spool as Spool, numbered(0, 5));
    await spool?.close();
    const path = onlySegment();
    footerless(path);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(5_000)]));
    await open();
    expect(notices).toEqual([{ kind: 'torn', segment: expect.any(String), bytes: 5_000 }]);
    expect(await drain(spool as Spool)).toEqual(numbered(0, 5));
  });

  it('loses no acknowledged callback by kill -9 in the middle of writing', async () => {
    const acknowledged: number[] = [];
    for (let round = 0; round < 3; round++) {
      const program = await startProgram({
        args: [new URL('../../test/spool-process.ts', import.meta.url).pathname],
        env: { DIR: dir, FROM: String(round * 1_000_000) },
        readyOutput: /\n/,
      });
      await waitUntil(() => program.stdout().split('\n').length > 200 * (round + 1));
      await program.stop('SIGKILL');
      acknowledged.push(...program.stdout().split('\n').slice(0, -1).map(Number));
    }
    await open();
    const kept = new Set((await drain(spool as Spool)).map(numberOf));
    expect(acknowledged.length).toBeGreaterThan(1_000);
    expect(acknowledged.filter((number) => !kept.has(number))).toEqual([]);
  });
});

describe('a spool after a power cut', () => {
  it('has every acknowledged callback: written, synced, and its folder synced, before the answer', async () => {
    const handle = await openFile(dir, 'r');
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { sync, datasync } = prototype;
    /** What would be left of each file, by its name. */
    const onDisk = new Map<string, Buffer>();
    let entriesOnDisk: string[] = [];
    prototype.datasync = async function (): Promise<void> {
      const files = segments().map((name) => [name, readFileSync(join(dir, name))] as const);
      await datasync.call(this);
      for (const [name, bytes] of files) onDisk.set(name, bytes);
    };
    prototype.sync = async function (): Promise<void> {
      const names = segments();
      await sync.call(this);
      entriesOnDisk = names;
    };
    try {
      await open({ segmentBytes: 5_000 });
      for (let i = 0; i < 40; i++) {
        await appendAll(spool as Spool, numbered(i * 10, i * 10 + 10));
        if (i % 10 !== 9) continue;
        const cut = mkdtempSync(join(tmpdir(), 'clickrelay-spool-cut-'));
        for (const name of entriesOnDisk) writeFileSync(join(cut, name), onDisk.get(name) ?? '');
        const after = await openSpool({ dir: cut });
        expect(await drain(after)).toEqual(numbered(0, i * 10 + 10));
        await after.close();
        rmSync(cut, { recursive: true });
      }
    } finally {
      Object.assign(prototype, { sync, datasync });
    }
  });
});

describe('a damaged spool', () => {
  it('sets the damage aside and gives out everything else', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    console.log(`seed ${seed}`);
    const entries = numbered(0, 50);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), fc.integer({ min: 1, max: 255 }), async (place, isFinished, flip) => {
        rmSync(dir, { recursive: true, force: true });
        notices = [];
        await open();
        await appendAll(spool as Spool, entries);
        await spool?.close();
        const path = onlySegment();
        if (!isFinished) footerless(path);
        const bytes = readFileSync(path);
        const recordBytes = 16 + bytes.readUInt32LE(4);
        // Somewhere before the last record, of which nobody can tell damage from a torn end by its looks alone.
        const at = place % (bytes.length - 2 * recordBytes - 30);
        bytes[at] = (bytes[at] as number) ^ flip;
        writeFileSync(path, bytes);
        await open();
        const kept = await drain(spool as Spool);
        expect(kept).toHaveLength(49);
        expect(entries).toEqual(expect.arrayContaining(kept));
        expect(kept.map(numberOf)).toEqual(kept.map(numberOf).toSorted((a, b) => a - b));
        expect(notices).toEqual([
          { kind: 'damaged', segment: expect.any(String), bytes: expect.any(Number), keptIn: expect.any(String) },
        ]);
        const { keptIn } = notices[0] as { keptIn: string };
        expect(bytes.includes(readFileSync(keptIn))).toBe(true);
        expect((spool as Spool).stats()).toMatchObject({ records: 0, setAside: 1 });
        await spool?.close();
        spool = undefined;
      }),
      { seed, numRuns: 40 },
    );
  });

  it('keeps a whole last record with a wrong check sum: it may have been acknowledged', async () => {
    await open();
    await appendAll(spool as Spool, numbered(0, 3));
    await spool?.close();
    const path = onlySegment();
    footerless(path);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = 0;
    writeFileSync(path, bytes);
    await open();
    expect(await drain(spool as Spool)).toEqual(numbered(0, 2));
    expect(notices.map(({ kind }) => kind)).toEqual(['damaged']);
  });
});

describe('a spool whose disk takes nothing for damage', () => {
  it('gives out everything once it does, also what stands before the damage', async () => {
    await open();
    await appendAll(spool as Spool, numbered(0, 10));
    await spool?.close();
    const path = onlySegment();
    const bytes = readFileSync(path);
    const recordBytes = 16 + bytes.readUInt32LE(4);
    bytes[5 * recordBytes] = 0;
    writeFileSync(path, bytes);
    await open();
    // No folder can be made where a file is.
    writeFileSync(join(dir, 'set-aside'), '');
    await expect((spool as Spool).read()).rejects.toThrow('EEXIST');
    rmSync(join(dir, 'set-aside'));
    expect((await drain(spool as Spool)).map(numberOf)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
    expect((spool as Spool).stats()).toMatchObject({ records: 0, setAside: 1 });
  });
});

describe('a spool at its bounds', () => {
  it('refuses what would not fit, says so, and takes again when there is room', async () => {
    await open({ maxBytes: 100_000 });
    const large = callback('x'.repeat(30_000));
    await appendAll(spool as Spool, [large, large, large]);
    await expect((spool as Spool).append(large)).rejects.toMatchObject({
      code: 'queue_unavailable',
      status: 503,
      message: expect.stringContaining('`SPOOL_MAX_BYTES`'),
    });
    expect(notices).toEqual([{ kind: 'full', maxBytes: 100_000 }]);
    expect((spool as Spool).stats().refusing).toMatch(/^it is full/);
    await drain(spool as Spool);
    expect((spool as Spool).stats().refusing).toBeNull();
    await (spool as Spool).append(large);
  });

  it('counts what is on its way to the disk', async () => {
    await open({ maxBytes: 100_000 });
    const large = callback('x'.repeat(30_000));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => (spool as Spool).append(large)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('acknowledges nothing that a full disk did not take, and goes on when there is room', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'pipe' });
    } catch {
      console.error('NOT RUN: the spool on a full disk needs a mount of tmpfs, which this machine does not allow');
      context.skip();
    }
    try {
      await open();
      const filler = join(dir, 'filler');
      const acknowledged: string[] = [];
      let refused = 0;
      const send = async (text: string): Promise<void> => {
        try {
          await (spool as Spool).append(callback(text));
          acknowledged.push(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'queue_unavailable', status: 503 });
          refused++;
        }
      };
      const fill = async (name: string): Promise<void> => {
        for (let i = 0; i < 200; i++) {
          await Promise.all([0, 1, 2].map((n) => send(`${name} ${i} ${n} ${'x'.repeat(7_001)}`)));
        }
      };
      await fill('before');
      expect(acknowledged.length).toBeGreaterThan(200);
      expect(refused).toBeGreaterThan(200);
      expect(notices.map(({ kind }) => kind)).toContain('failing');
      expect((spool as Spool).stats().refusing).toContain('ENOSPC');

      const kept = async (): Promise<string[]> =>
        (await drain(spool as Spool)).map((entry) => (entry as { text: string }).text);
      const first = await kept();
      expect(acknowledged.filter((text) => !first.includes(text))).toEqual([]);
      // Room is there again, and nobody has to send anything for the spool to find out.
      await waitUntil(() => (spool as Spool).stats().refusing === null);

      acknowledged.length = 0;
      writeFileSync(filler, Buffer.alloc(1_000_000));
      await fill('after');
      expect(refused).toBeGreaterThan(600);
      // A start on the full disk takes over what is there.
      await reopen();
      const taken = acknowledged.length;
      expect((spool as Spool).stats().records).toBeGreaterThanOrEqual(taken);
      rmSync(filler);
      await send('with room again');
      expect(acknowledged).toContain('with room again');
      await reopen();
      const second = await kept();
      expect(acknowledged.filter((text) => !second.includes(text))).toEqual([]);
    } finally {
      await spool?.close();
      spool = undefined;
      execFileSync('umount', [dir]);
    }
  });
});

describe('a spool belongs to one receiver', () => {
  it('and is refused to a second', async () => {
    await open();
    await expect(openSpool({ dir, patienceMs: 200 })).rejects.toMatchObject({
      code: 'spool_in_use',
      message: `SPOOL_DIR ${dir} belongs to another receiver that runs; give each receiver a folder of its own`,
    });
  });

  it('and to the next one when the first was killed, with all that is in it', async () => {
    const program = await startProgram({
      args: [new URL('../../test/spool-process.ts', import.meta.url).pathname],
      env: { DIR: dir, FROM: '0' },
      readyOutput: /100\n/,
    });
    await expect(openSpool({ dir, patienceMs: 0 })).rejects.toMatchObject({ code: 'spool_in_use' });
    const [next] = await Promise.all([openSpool({ dir, patienceMs: 60_000 }), program.stop('SIGKILL')]);
    spool = next;
    expect(next.stats().records).toBeGreaterThan(100);
  });

  it('of those that come at the same time, to exactly one', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openSpool({ dir, patienceMs: 300 })));
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(opened).toHaveLength(1);
    spool = opened[0];
  });

  it('and its folder must be usable', async () => {
    writeFileSync(join(dir, 'file'), '');
    await expect(openSpool({ dir: join(dir, 'file') })).rejects.toMatchObject({ code: 'spool_unusable' });
  });
});

describe('a day without Redis', () => {
  // 50 callbacks a second for a day are 4.3 million; here fewer, in the same files.
  const MANY = 300_000;

  it('takes no memory, and the next start takes no time', async () => {
    await open();
    const body = `{"event":{"moText":[{"content":"${'x'.repeat(300)}"}]}}`;
    const rss = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().rss;
    };
    let before = 0;
    let most = 0;
    for (let i = 0; i < MANY; i += 1_000) {
      await appendAll(
        spool as Spool,
        Array.from({ length: 1_000 }, () => callback(body)),
      );
      if (i === 50_000) before = rss();
      else if (i % 50_000 === 0) most = Math.max(most, rss());
    }
    const startedAt = fairNow();
    await reopen();
    const openMs = fairNow() - startedAt;
    expect((spool as Spool).stats().records).toBe(MANY);
    let taken = 0;
    const readingFrom = fairNow();
    for (let batch = await (spool as Spool).read(); batch !== undefined; batch = await (spool as Spool).read()) {
      taken += batch.entries.length;
      await (spool as Spool).done(batch);
    }
    const readMs = fairNow() - readingFrom;
    console.log(
      `opened ${MANY} records in ${openMs.toFixed(0)} ms, read them in ${readMs.toFixed(0)} ms; memory grew by ${((most - before) / 1e6).toFixed(0)} MB`,
    );
    expect(taken).toBe(MANY);
    // It reads none of them.
    expect(openMs).toBeLessThan(readMs / 2);
    expect(most - before).toBeLessThan(150e6);
  });
});
