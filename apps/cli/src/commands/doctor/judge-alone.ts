import { resolve } from 'node:path';
import { createGatherer, judgeOnce, RULES, type Verdict } from '@clickrelay/health';
import type { DurabilityMode } from '@clickrelay/queue';
import { readKeptCredentials, usableCredentials } from '@clickrelay/service/settings';
import { readRunFile, readSecrets } from '../../data-dir.ts';
import { isLocked } from '../../lock.ts';
import { goneStores, rememberedStores } from '../../remembered-stores.ts';
import type { Context } from '../context.ts';

/**
 * What Redis tells without an API: what one judged lately, or a judgement of our own, which nobody else reads.
 * @returns undefined when no Redis is known here
 */
export const judgeAlone = async ({ config, environment }: Context): Promise<Verdict | undefined> => {
  const dataDir = resolve(config.DATA_DIR);
  const run = isLocked(dataDir) ? readRunFile(dataDir) : undefined;
  // run.json has no password for a Redis that is not ours.
  const redisUrl = config.REDIS_URL || (run?.pids['redis'] === undefined ? undefined : run.redisUrl);
  if (redisUrl === undefined) return undefined;
  const { inspectStore, openHealthRecords, openStore } = await import('@clickrelay/queue');
  const store = await openStore({ redisUrl, role: 'producer' });
  const auth = config.CALLBACK_AUTH || readSecrets(dataDir).callbackAuth || '';
  try {
    await connected(store);
    return await judgeOnce({
      records: openHealthRecords(store),
      rules: RULES,
      gather: createGatherer({
        store,
        expectedStore: async () => {
          const [{ mark }, remembered] = await Promise.all([inspectStore(store), rememberedStores(store, config)]);
          const [gone] = goneStores(remembered, mark);
          const expectedId = gone ?? mark?.id ?? null;
          const foundId = mark?.id ?? null;
          return { expectedId: remembered.length === 0 ? NOBODY_REMEMBERS : expectedId, foundId };
        },
        mode: (environment['DURABILITY'] || 'always') as DurabilityMode,
        publicUrl: config.PUBLIC_URL ?? null,
        knowsCredential: () => usableCredentials(auth, readKeptCredentials(dataDir)).length > 0,
        channels: () => [],
        onError: () => {},
      }),
      onError: () => {},
    });
  } finally {
    await store.close().catch(() => {});
  }
};

const NOBODY_REMEMBERS = { unknown: 'no part that runs, and no folder here, remembers which Redis is ours' };
const CONNECT_MS = 3_000;

/** Waits until it is known whether there is a connection, or why there is none. */
const connected = async ({ redis, explain }: Awaited<ReturnType<typeof import('@clickrelay/queue').openStore>>) => {
  const until = performance.now() + CONNECT_MS;
  while (redis.status !== 'ready' && explain() === undefined && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
