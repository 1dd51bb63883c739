/** Combines writes: items added while the allowed number of writes is under way share the next one. */
export interface GroupCommit<Item> {
  /** Resolves when the item has been written; rejects with the write's error. */
  add(item: Item): Promise<void>;
  /** Items added and not yet written. */
  readonly pending: number;
  /** Resolves when every item added so far was written or rejected. */
  drained(): Promise<void>;
}

export interface GroupCommitOptions<Item> {
  write(items: Item[]): Promise<void>;
  /** How much one write may hold. */
  readonly maxItems: number;
  readonly maxBytes?: number;
  /** How many writes may be under way at once. Another begins once as many items wait as are under way. @default 1 */
  readonly writesAtOnce?: number;
  /** How long a write waits for more items, in ms. @default 0 */
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
    const settle = await write(group.map(({ item }) => item)).then(
      () => (waiting: Waiting<Item>) => waiting.resolve(),
      (error: unknown) => (waiting: Waiting<Item>) => waiting.reject(error),
    );
    writing--;
    inFlight -= group.length;
    // Start the next write before the callers hear of this one: it is under way while they continue.
    if (lingerMs === 0 && !isScheduled && isDue()) void writeGroup();
    else schedule();
    setImmediate(() => {
      for (const waiting of group) settle(waiting);
      if (writing > 0 || queue.length > 0) return;
      for (const resolve of onDrained) resolve();
      onDrained = [];
    });
  };

  /**
   * Beside another write, waits until half of all items are here: a small group would be as much work, and the other
   * items would wait behind it.
   */
  const isDue = (): boolean =>
    queue.length > 0 && (writing === 0 || (writing < writesAtOnce && queue.length >= inFlight));

  const schedule = (): void => {
    if (isScheduled || !isDue()) return;
    isScheduled = true;
    if (lingerMs > 0) setTimeout(writeGroup, lingerMs);
    // Include all items of this turn of the event loop: fewer and larger writes, at no cost in latency.
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
