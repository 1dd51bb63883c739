import { readdirSync } from 'node:fs';
import { fairNow } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { appendAll, callback, drain, numbered, useSpool } from '../../test/use-spool.ts';
import type { SpoolEntry } from './record.ts';

const folder = useSpool();

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
    await folder.open();
    await appendAll(folder.spool, entries);
    expect(folder.spool.stats()).toMatchObject({ records: entries.length, oldestAt: RECEIVED_AT, refusing: null });
    expect(await drain(folder.spool)).toEqual(entries);
    expect(folder.spool.stats()).toMatchObject({ records: 0, bytes: 0, oldestAt: null, setAside: 0 });
    expect(readdirSync(folder.dir)).toEqual(['lock']);
  });

  it('is there after a restart, and only what had not been taken', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 600));
    const batch = await folder.spool.read();
    await folder.spool.done(batch as NonNullable<typeof batch>);
    await folder.reopen();
    expect(folder.spool.stats().records).toBe(600 - 256);
    await appendAll(folder.spool, numbered(600, 700));
    await folder.reopen();
    expect(await drain(folder.spool)).toEqual(numbered(256, 700));
    expect(folder.notices).toEqual([]);
  });

  it('is spread over files of a bounded size', async () => {
    await folder.open({ segmentBytes: 10_000 });
    for (let i = 0; i < 20; i++) await appendAll(folder.spool, numbered(i * 100, i * 100 + 100));
    expect(folder.segments().length).toBeGreaterThanOrEqual(8);
    await folder.reopen({ segmentBytes: 10_000 });
    expect(folder.spool.stats().records).toBe(2_000);
    expect(await drain(folder.spool)).toEqual(numbered(0, 2_000));
    expect(folder.segments()).toEqual([]);
  });

  it('may be taken while others come', async () => {
    await folder.open({ segmentBytes: 2_000 });
    const taken: SpoolEntry[] = [];
    const appending = (async () => {
      for (let i = 0; i < 2_000; i += 10) await appendAll(folder.spool, numbered(i, i + 10));
    })();
    const all = (async () => {
      while (taken.length < 2_000) {
        taken.push(...(await drain(folder.spool)));
        await new Promise(setImmediate);
      }
    })();
    await Promise.all([appending, all]);
    expect(taken).toEqual(numbered(0, 2_000));
  });
});

describe('a day without Redis', () => {
  // 50 callbacks a second for a day are 4.3 million; here fewer, in the same files.
  const MANY = 300_000;

  it('takes no memory, and the next start takes no time', async () => {
    await folder.open();
    const body = `{"event":{"moText":[{"content":"${'x'.repeat(300)}"}]}}`;
    const rss = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().rss;
    };
    let before = 0;
    let most = 0;
    for (let i = 0; i < MANY; i += 1_000) {
      await appendAll(
        folder.spool,
        Array.from({ length: 1_000 }, () => callback(body)),
      );
      if (i === 50_000) before = rss();
      else if (i % 50_000 === 0) most = Math.max(most, rss());
    }
    const startedAt = fairNow();
    await folder.reopen();
    const openMs = fairNow() - startedAt;
    expect(folder.spool.stats().records).toBe(MANY);
    let taken = 0;
    const readingFrom = fairNow();
    for (let batch = await folder.spool.read(); batch !== undefined; batch = await folder.spool.read()) {
      taken += batch.entries.length;
      await folder.spool.done(batch);
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
