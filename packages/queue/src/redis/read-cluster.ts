import type { Redis } from 'ioredis';
import type { Store } from './store.ts';

/** What a Cluster tells of itself. */
export interface ClusterState {
  readonly isDown: boolean;
  /** By slot that is being moved, or was left open by a move that failed: how many keys each of its two nodes has. */
  readonly moving: Readonly<Record<string, readonly number[]>>;
}

/** In the line of a node about itself: `[93->-<id>]` for a slot that leaves it, `[93-<-<id>]` for one that comes. */
const OPEN_SLOT = /\[(\d+)-[<>]-/g;

const readNode = async (node: Redis) => {
  const [info, nodes] = await Promise.all([node.cluster('INFO'), node.cluster('NODES')]);
  const own = String(nodes)
    .split('\n')
    .find((line) => line.includes('myself'));
  const slots = [...(own ?? '').matchAll(OPEN_SLOT)].map(([, slot]) => slot as string);
  const counts = await Promise.all(slots.map((slot) => node.cluster('COUNTKEYSINSLOT', Number(slot))));
  return {
    isDown: !String(info).includes('cluster_state:ok'),
    open: slots.map((slot, index) => ({ slot, keys: Number(counts[index]) })),
  };
};

/**
 * As its masters see it. A master that does not answer says nothing; the others say whether the Cluster is down.
 * @throws the error of a master when none answers
 */
export const readCluster = async (store: Store): Promise<ClusterState> => {
  const all = await Promise.allSettled(store.servers().map(readNode));
  const told = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const [refused] = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (told.length === 0 && refused !== undefined) throw refused;
  const moving: Record<string, number[]> = {};
  for (const { slot, keys } of told.flatMap(({ open }) => open)) moving[slot] = [...(moving[slot] ?? []), keys];
  return { isDown: told.some(({ isDown }) => isDown), moving };
};
