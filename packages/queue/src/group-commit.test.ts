import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGroupCommit, type GroupCommitOptions } from './group-commit.ts';

/** A write that ends when the test says so. */
const gatedWrites = (options: Partial<GroupCommitOptions<string>> = {}) => {
  const writes: { items: string[]; end: (error?: Error) => void }[] = [];
  const group = createGroupCommit<string>({
    maxItems: 100,
    write: (items) =>
      new Promise((resolve, reject) => {
        writes.push({ items, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    ...options,
  });
  /** Ends the write under way and gives the next one time to begin. */
  const end = async (error?: Error): Promise<void> => {
    writes.at(-1)?.end(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { group, writes, end };
};

/** What became of an item: `written`, or the message of its error. */
const fate = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'written',
    (error: Error) => error.message,
  );

describe('items that are added during a write', () => {
  it('share the next one', async () => {
    const { group, writes, end } = gatedWrites();
    const added = ['a', 'b', 'c'].map((item) => fate(group.add(item)));
    expect(writes.map(({ items }) => items)).toEqual([['a']]);
    expect(group.pending).toBe(3);
    await end();
    added.push(fate(group.add('d')));
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]);
    expect(group.pending).toBe(3);
    await end();
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['b', 'c'], ['d']]);
    await end();
    expect(await Promise.all(added)).toEqual(['written', 'written', 'written', 'written']);
    expect(group.pending).toBe(0);
  });

  it('are written when theirs has ended, not before', async () => {
    const { group, end } = gatedWrites();
    const done: string[] = [];
    for (const item of ['a', 'b']) group.add(item).then(() => done.push(item));
    expect(done).toEqual([]);
    await end();
    expect(done).toEqual(['a']);
    await end();
    expect(done).toEqual(['a', 'b']);
  });
});

describe('a write that fails', () => {
  it('rejects its own group with its error, and the next one goes on', async () => {
    const { group, end } = gatedWrites();
    const added = ['a', 'b', 'c'].map((item) => fate(group.add(item)));
    await end();
    added.push(fate(group.add('d')));
    await end(new Error('away'));
    await end();
    expect(await Promise.all(added)).toEqual(['written', 'away', 'away', 'written']);
    expect(group.pending).toBe(0);
  });

  it('does not stop what is added after everything had ended', async () => {
    const { group, end } = gatedWrites();
    const first = fate(group.add('a'));
    await end(new Error('away'));
    expect(await first).toBe('away');
    const second = fate(group.add('b'));
    await end();
    expect(await second).toBe('written');
  });
});

describe('a group', () => {
  it('holds at most `maxItems`, in the order of adding', async () => {
    const { group, writes, end } = gatedWrites({ maxItems: 2 });
    const added = ['a', 'b', 'c', 'd', 'e', 'f'].map((item) => fate(group.add(item)));
    for (let i = 0; i < 4; i++) await end();
    await Promise.all(added);
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['b', 'c'], ['d', 'e'], ['f']]);
  });

  it('holds at most `maxBytes`, in the order of adding', async () => {
    const { group, writes, end } = gatedWrites({ maxBytes: 4, sizeOf: (item) => item.length });
    const added = ['a', 'bb', 'cc', 'd', 'eee', 'f', 'gg'].map((item) => fate(group.add(item)));
    for (let i = 0; i < 5; i++) await end();
    await Promise.all(added);
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['bb', 'cc'], ['d', 'eee'], ['f', 'gg']]);
  });

  it('holds one item that is larger than `maxBytes`, alone', async () => {
    const { group, writes, end } = gatedWrites({ maxBytes: 4, sizeOf: (item) => item.length });
    const added = ['a', 'b', 'cccccccc', 'd'].map((item) => fate(group.add(item)));
    for (let i = 0; i < 4; i++) await end();
    expect(await Promise.all(added)).toEqual(['written', 'written', 'written', 'written']);
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['b'], ['cccccccc'], ['d']]);
  });

  it('waits for company as long as it may', async () => {
    const { group, writes, end } = gatedWrites({ lingerMs: 1 });
    const added = [fate(group.add('a')), fate(group.add('b'))];
    expect(writes).toEqual([]);
    await expect.poll(() => writes.map(({ items }) => items)).toEqual([['a', 'b']]);
    await end();
    expect(await Promise.all(added)).toEqual(['written', 'written']);
  });

  it('never loses, repeats or reorders an item, whatever the bounds and failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.nat(9), pause: fc.boolean() }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.func(fc.boolean()),
        async (items, maxItems, maxBytes, fails) => {
          const writes: { items: { index: number; size: number }[]; failed: boolean }[] = [];
          const group = createGroupCommit<{ index: number; size: number }>({
            maxItems,
            maxBytes,
            sizeOf: ({ size }) => size,
            write: async (written) => {
              const failed = fails(writes.length);
              writes.push({ items: written, failed });
              await new Promise((resolve) => setImmediate(resolve));
              if (failed) throw new Error('away');
            },
          });
          const added: Promise<string>[] = [];
          for (const [index, { size, pause }] of items.entries()) {
            added.push(fate(group.add({ index, size })));
            if (pause) await new Promise((resolve) => setImmediate(resolve));
          }
          await group.drained();
          const expected = writes.flatMap((write) => write.items.map(() => (write.failed ? 'away' : 'written')));
          expect(await Promise.all(added)).toEqual(expected);
          expect(writes.flatMap((write) => write.items.map(({ index }) => index))).toEqual([...items.keys()]);
          for (const write of writes) {
            expect(write.items.length).toBeLessThanOrEqual(maxItems);
            const bytes = write.items.reduce((sum, { size }) => sum + size, 0);
            expect(write.items.length === 1 || bytes <= maxBytes).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('drained', () => {
  it('resolves at once when nothing was added', async () => {
    await gatedWrites().group.drained();
  });

  it('resolves when everything is written or rejected, also what came meanwhile', async () => {
    const { group, writes, end } = gatedWrites();
    const added = [fate(group.add('a'))];
    let drained = false;
    group.drained().then(() => {
      drained = true;
    });
    added.push(fate(group.add('b')));
    await end();
    expect([drained, writes.length]).toEqual([false, 2]);
    await end(new Error('away'));
    expect(drained).toBe(true);
    expect(await Promise.all(added)).toEqual(['written', 'away']);
  });
});
