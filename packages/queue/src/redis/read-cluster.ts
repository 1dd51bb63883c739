import type { Redis } from 'ioredis';
import type { Store } from './store.ts';

/** What a Cluster tells of itself. */
export interface ClusterState {
  readonly isDown: boolean;
  /** By slot that is being moved: how many keys its owner still has. */
  readonly moving: Readonly<Record<string, number>>;
}

/** In the line of a node about itself: `[93->-<id>]` for a slot that leaves it, `[93-<-<id>]` for one that comes. */
const OPEN_SLOT = /\[(\d+)-[<>]-/g;

const readNode = async (node: Redis): Promise<ClusterState> => {
  const [info, nodes] = await Promise.all([node.cluster('INFO'), node.cluster('NODES')]);
  const own = String(nodes)
    .split('\n')
    .find((line) => line.includes('myself'));
  const slots = [...(own ?? '').matchAll(OPEN_SLOT)].map(([, slot]) => slot as string);
  const counts = await Promise.all(slots.map((slot) => node.cluster('COUNTKEYSINSLOT', Number(slot))));
  return {
    isDown: !String(info).includes('cluster_state:ok'),
    moving: Object.fromEntries(slots.map((slot, index) => [slot, Number(counts[index])])),
  };
};

/** As its masters see it. */
export const readCluster = async (store: Store): Promise<ClusterState> => {
  const all = await Promise.all(store.servers().map(readNode));
  return {
    isDown: all.some(({ isDown }) => isDown),
    moving: Object.assign({}, ...all.map(({ moving }) => moving)) as ClusterState['moving'],
  };
};
