import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

/** Joins writes: what is added while a write is under way shares the next one. */
export interface GroupCommit<Item> {
  /** Resolves when the item has been written; rejects with the write's error. */
  add(item: Item): Promise<void>;
  /** Items added and not yet written. */
  readonly pending: number;
  /** Resolves when everything added so far has been written, or was rejected. */
  drained(): Promise<void>;
}

export interface GroupCommitOptions<Item> {
  write(items: Item[]): Promise<void>;
  /** What one write may hold. */
  readonly maxItems: number;
  readonly maxBytes?: number;
  /** How long a write may wait for company, in ms. @default 0 */
  readonly lingerMs?: number;
  sizeOf?(item: Item): number;
}

interface Waiting<Item> {
  item: Item;
  resolve: () => void;
  reject: (error: unknown) => void;
}

export const createGroupCommit = <Item>(options: GroupCommitOptions<Item>): GroupCommit<Item> => {
  const { write, maxItems, maxBytes = Number.POSITIVE_INFINITY, lingerMs = 0, sizeOf = () => 0 } = options;
  let queue: Waiting<Item>[] = [];
  let running: Promise<void> | undefined;
  let inFlight = 0;

  const takeGroup = (): Waiting<Item>[] => {
    let bytes = 0;
    let count = 0;
    // One item always fits, however large.
    for (; count < queue.length && count < maxItems; count++) {
      bytes += sizeOf((queue[count] as Waiting<Item>).item);
      if (count > 0 && bytes > maxBytes) break;
    }
    if (count === queue.length) {
      const all = queue;
      queue = [];
      return all;
    }
    return queue.splice(0, count);
  };

  const begin = (group: Waiting<Item>[]): Promise<() => void> =>
    write(group.map((waiting) => waiting.item)).then(
      () => () => {
        for (const waiting of group) waiting.resolve();
      },
      (error) => () => {
        for (const waiting of group) waiting.reject(error);
      },
    );

  const run = async (): Promise<void> => {
    let tell = (): void => {};
    // What arrives in this turn of the event loop comes along: fewer and larger writes, at no cost in latency.
    if (lingerMs === 0) await immediate();
    while (queue.length > 0) {
      if (lingerMs > 0) {
        tell();
        await sleep(lingerMs);
      }
      const group = takeGroup();
      inFlight = group.length;
      const written = begin(group);
      // Those of the write before are told when this one is under way: what they do now must not hold it up.
      await immediate();
      if (lingerMs === 0) tell();
      tell = await written;
      inFlight = 0;
    }
    tell();
    running = undefined;
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        running ??= run();
      }),
    get pending() {
      return queue.length + inFlight;
    },
    drained: () => running ?? Promise.resolve(),
  };
};
