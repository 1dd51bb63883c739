import { waitUntil } from '@clickrelay/testkit';
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
  /** Resolves when this many writes have begun. */
  const begun = (count: number) => waitUntil(() => writes.length === count, { everyMs: 1 });
  /** Lets the write under way end, and the next one begin. */
  const end = async (error?: Error): Promise<void> => {
    const count = writes.length;
    writes.at(-1)?.end(error);
    await begun(count + 1);
  };
  /** Lets the last write end. */
  const endLast = (error?: Error): void => writes.at(-1)?.end(error);
  return { group, writes, begun, end, endLast };
};

/** What became of an item: `written`, or the message of its error. */
const fate = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'written',
    (error: Error) => error.message,
  );

describe('items that are added during a write', () => {
  it('share the next one', async () => {
    const { group, writes, begun, end, endLast } = gatedWrites();
    const added = [fate(group.add('a'))];
    await begun(1);
    added.push(fate(group.add('b')), fate(group.add('c')));
    expect(group.pending).toBe(3);
    await end();
    added.push(fate(group.add('d')));
    expect(group.pending).toBe(3);
    await end();
    endLast();
    expect(await Promise.all(added)).toEqual(['written', 'written', 'written', 'written']);
    expect(writes.map(({ items }) => items)).toEqual([['a'], ['b', 'c'], ['d']]);
    expect(group.pending).toBe(0);
  });

  it('are written when theirs has ended, not before', async () => {
    const { group, begun, end, endLast } = gatedWrites();
    const done: string[] = [];
    const a = group.add('a').then(() => done.push('a'));
    await begun(1);
    const b = group.add('b').then(() => done.push('b'));
    expect(done).toEqual([]);
    await end();
    await a;
    expect(done).toEqual(['a']);
    endLast();
    await b;
    expect(done).toEqual(['a', 'b']);
  });
});

describe('a second write', () => {
  it('begins beside the first when it is as large, and otherwise when the first has ended', async () => {
    const { group, writes, begun, endLast } = gatedWrites({ writesAtOnce: 2 });
    const added = [fate(group.add('a')), fate(group.add('b'))];
    await begun(1);
    added.push(fate(group.add('c')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(writes).toHaveLength(1);
    added.push(fate(group.add('d')));
    await begun(2);
    added.push(fate(group.add('e')));
    writes[0]?.end();
    await Promise.all(added.slice(0, 2));
    expect(writes.map(({ items }) => items)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    endLast();
    await begun(3);
    endLast();
    await Promise.all(added);
    expect(writes.at(-1)?.items).toEqual(['e']);
  });

  it('is under way before the callers of the first hear of it', async () => {
    const { group, writes, begun, endLast } = gatedWrites();
    const a = group.add('a').then(() => writes.length);
    await begun(1);
    const b = group.add('b');
    endLast();
    expect(await a).toBe(2);
    endLast();
    await b;
  });
});

describe('a write that fails', () => {
  it('rejects its own group with its error, and the next one goes on', async () => {
    const { group, begun, end, endLast } = gatedWrites();
    const added = [fate(group.add('a'))];
    await begun(1);
    added.push(fate(group.add('b')), fate(group.add('c')));
    await end();
    added.push(fate(group.add('d')));
    await end(new Error('away'));
    endLast();
    expect(await Promise.all(added)).toEqual(['written', 'away', 'away', 'written']);
    expect(group.pending).toBe(0);
  });

  it('does not stop items that are added after everything has ended', async () => {
    const { group, begun, endLast } = gatedWrites();
    const first = fate(group.add('a'));
    await begun(1);
    endLast(new Error('away'));
    expect(await first).toBe('away');
    const second = fate(group.add('b'));
    await begun(2);
    endLast();
    expect(await second).toBe('written');
  });
});

describe('a group', () => {
  /** Adds all at once behind a write of `first`; gives the groups that were written after it. */
  const groupsOf = async (items: string[], options: Partial<GroupCommitOptions<string>>): Promise<string[][]> => {
    const { group, writes, begun, endLast } = gatedWrites(options);
    const added = [group.add('first')];
    await begun(1);
    added.push(...items.map((item) => group.add(item)));
    for (let written = 1; written <= items.length; written += writes.at(-1)?.items.length ?? 0) {
      endLast();
      await begun(writes.length + 1);
    }
    endLast();
    await Promise.all(added);
    return writes.slice(1).map((write) => write.items);
  };

  it('holds at most `maxItems`, in the order of adding', async () => {
    expect(await groupsOf(['a', 'b', 'c', 'd', 'e'], { maxItems: 2 })).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('holds at most `maxBytes`, in the order of adding', async () => {
    const items = ['bb', 'cc', 'd', 'eee', 'f', 'gg'];
    const expected = [
      ['bb', 'cc'],
      ['d', 'eee'],
      ['f', 'gg'],
    ];
    expect(await groupsOf(items, { maxBytes: 4, sizeOf: (item) => item.length })).toEqual(expected);
  });

  it('holds one item that is larger than `maxBytes`, alone', async () => {
    const expected = [['b'], ['cccccccc'], ['d', 'e']];
    expect(await groupsOf(['b', 'cccccccc', 'd', 'e'], { maxBytes: 4, sizeOf: (item) => item.length })).toEqual(
      expected,
    );
  });

  it('waits for more items for `lingerMs`', async () => {
    const { group, writes, begun, endLast } = gatedWrites({ lingerMs: 1 });
    const added = [fate(group.add('a')), fate(group.add('b'))];
    expect(writes).toEqual([]);
    await begun(1);
    endLast();
    expect(await Promise.all(added)).toEqual(['written', 'written']);
    expect(writes.map(({ items }) => items)).toEqual([['a', 'b']]);
  });

  it('never loses, repeats or reorders an item, whatever the bounds and failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.nat(9), pause: fc.boolean() }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.func(fc.boolean()),
        async (items, maxItems, maxBytes, writesAtOnce, fails) => {
          const writes: { items: { index: number; size: number }[]; failed: boolean }[] = [];
          const group = createGroupCommit<{ index: number; size: number }>({
            maxItems,
            maxBytes,
            writesAtOnce,
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

  it('resolves when everything is written or rejected, including items added meanwhile', async () => {
    const { group, begun, end, endLast } = gatedWrites();
    const added = [fate(group.add('a'))];
    await begun(1);
    let isDrained = false;
    const drained = group.drained().then(() => {
      isDrained = true;
    });
    added.push(fate(group.add('b')));
    await end();
    expect(isDrained).toBe(false);
    endLast(new Error('away'));
    await drained;
    expect(await Promise.all(added)).toEqual(['written', 'away']);
  });
});
