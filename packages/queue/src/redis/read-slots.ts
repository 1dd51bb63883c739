import type { Store } from './store.ts';

/** A slot of a Redis Cluster that is on its way from one master to another. */
export interface OpenSlot {
  readonly slot: number;
  /** The master that says so, as `host:port`. While a slot moves, both say so. */
  readonly node: string;
  /** Whether it leaves this master or comes to it. */
  readonly direction: 'leaving' | 'coming';
}

export interface OpenSlots {
  /** How many slots are open. */
  readonly count: number;
  readonly slots: readonly OpenSlot[];
  /** Masters that did not answer. */
  readonly silent: readonly string[];
}

/** How a node names its open slots: `[93-<-<id>]` comes from, `[77->-<id>]` leaves to. */
const OPEN = /\[(\d+)-([<>])-[0-9a-f]+\]/g;

/** Which slots move now, or were left open by a move that failed. None on a single server. */
export const readOpenSlots = async (store: Store): Promise<OpenSlots> => {
  if (!store.isCluster) return { count: 0, slots: [], silent: [] };
  const servers = store.servers();
  const nameOf = ({ options: { host, port } }: (typeof servers)[number]): string => `${host}:${port}`;
  const replies = await Promise.allSettled(servers.map((server) => server.cluster('NODES')));
  const silent: string[] = [];
  const slots: OpenSlot[] = [];
  for (const [at, reply] of replies.entries()) {
    const node = nameOf(servers[at] as (typeof servers)[number]);
    if (reply.status === 'rejected') silent.push(node);
    // A node names the open slots of itself only.
    else {
      for (const [, slot, arrow] of String(reply.value).matchAll(OPEN)) {
        slots.push({ slot: Number(slot), node, direction: arrow === '>' ? 'leaving' : 'coming' });
      }
    }
  }
  return { count: new Set(slots.map(({ slot }) => slot)).size, slots, silent };
};
