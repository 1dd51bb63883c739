import { listDestinations } from '../destinations/destinations.ts';
import { type Store, writeLayout } from '../redis/store.ts';
import { newMark, readMark, STORE, type StoreMark } from '../redis/store-mark.ts';
import { listKeys } from './keys.ts';

/** A store that a person may take for the one that is gone. */
export interface StoreFound {
  /** Null when nobody has marked it. */
  readonly mark: StoreMark | null;
  readonly destinations: number;
  readonly keys: number;
}

export const inspectStore = async (store: Store): Promise<StoreFound> => {
  const [mark, destinations, keys] = await Promise.all([
    readMark(store.redis),
    listDestinations(store),
    listKeys(store),
  ]);
  return { mark: mark ?? null, destinations: destinations.length, keys: keys.length };
};

/**
 * Has this store stand in for others, which are gone. A process that remembers one of them takes this store for its own
 * within a second, and remembers it instead.
 * @throws {LayoutMismatchError}
 */
export const adoptStore = async (store: Store, goneIds: readonly string[]): Promise<StoreMark> => {
  await writeLayout(store.redis);
  const { adopts, ...mark } = (await readMark(store.redis)) ?? newMark();
  const adopted = { ...mark, adopts: [...new Set([...adopts, ...goneIds])] };
  await store.durably(STORE, () => store.redis.set(STORE, JSON.stringify(adopted)));
  return adopted;
};
