import { join, resolve } from 'node:path';
import type { Store, StoreFound } from '@clickrelay/queue';
import type { Config } from './config.ts';
import { readJson } from './data-dir.ts';

/** The ids of the stores that living parts work with, and that the folders here keep for the next start. */
export const rememberedStores = async (
  store: Store,
  { DATA_DIR, SPOOL_DIR }: Pick<Config, 'DATA_DIR' | 'SPOOL_DIR'>,
): Promise<readonly string[]> => {
  const { listParts } = await import('@clickrelay/queue');
  const dataDir = resolve(DATA_DIR);
  const told = (await listParts(store)).flatMap(({ storeId }) => storeId ?? []);
  const kept = [dataDir, SPOOL_DIR || join(dataDir, 'spool')].flatMap(
    (dir) => readJson<{ id: string }>(join(dir, 'store.json'))?.id ?? [],
  );
  return [...new Set([...told, ...kept])];
};

/** Those that this store is not, nor stands in for. */
export const goneStores = (remembered: readonly string[], mark: StoreFound['mark']): readonly string[] =>
  remembered.filter((id) => id !== mark?.id && mark?.adopts.includes(id) !== true);
