/** Joins writes: what is added while as many writes are under way as may be shares the next one. */
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
  /** How many writes may be under way at once. @default 1 */
  readonly writesAtOnce?: number;
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
  const {
    write,
    maxItems,
    maxBytes = Number.POSITIVE_INFINITY,
    writesAtOnce = 1,
    lingerMs = 0,
    sizeOf = () => 0,
  } = options;
  let queue: Waiting<Item>[] = [];
  let writing = 0;
  let inFlight = 0;
  let isScheduled = false;
  let onDrained: (() => void)[] = [];

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

  const writeGroup = async (): Promise<void> => {
    isScheduled = false;
    const group = takeGroup();
    writing++;
    inFlight += group.length;
    try {
      await write(group.map((waiting) => waiting.item));
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
    writing--;
    inFlight -= group.length;
    schedule();
    if (writing === 0 && queue.length === 0) {
      for (const resolve of onDrained) resolve();
      onDrained = [];
    }
  };

  const schedule = (): void => {
    if (isScheduled || queue.length === 0 || writing >= writesAtOnce) return;
    isScheduled = true;
    if (lingerMs > 0) setTimeout(writeGroup, lingerMs);
    // What arrives in this turn of the event loop comes along: fewer and larger writes, at no cost in latency.
    else setImmediate(writeGroup);
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        schedule();
      }),
    get pending() {
      return queue.length + inFlight;
    },
    drained: () =>
      writing === 0 && queue.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            onDrained.push(resolve);
          }),
  };
};
