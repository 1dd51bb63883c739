import { setTimeout as sleep } from 'node:timers/promises';
import { StoreLostError } from './errors.ts';
import type { Store } from './store.ts';

const LOOK_AGAIN_MS = 1_000;

/**
 * Resolves when the store is ready, however long it is not ours.
 * @param onLost called each time that it is not
 * @throws {LayoutMismatchError}
 * @throws {PersonKeyMismatchError}
 */
export const whenOurs = async (store: Store, { onLost }: { onLost: () => void }): Promise<void> => {
  for (;;) {
    try {
      return await store.ready();
    } catch (error) {
      if (!(error instanceof StoreLostError)) throw error;
      onLost();
      await sleep(LOOK_AGAIN_MS);
    }
  }
};
