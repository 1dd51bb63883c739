import { readDestination, type Store } from '@clickrelay/queue';
import { notFound } from './errors.ts';

/**
 * For lists and selections of one destination: an unknown one is no empty list.
 * @throws {RequestRefusedError} 404 `not_found`
 */
export const assertDestination = async (store: Store, id: string | undefined): Promise<void> => {
  if (id !== undefined && (await readDestination(store, id)) === undefined) throw notFound('destination', id);
};
