import { resolve } from 'node:path';
import type { StoreFound } from '@clickrelay/queue';
import { ask, canAsk } from '../ask.ts';
import { type RunFile, readRunFile } from '../data-dir.ts';
import { CommandError, EXIT } from '../errors.ts';
import { isLocked } from '../lock.ts';
import { goneStores, rememberedStores } from '../remembered-stores.ts';
import { type Context, show } from './context.ts';

export interface AdoptOptions {
  readonly yes?: true;
}

const ANSWERS_WITHIN_MS = 3_000;

/**
 * Takes the Redis that is there now for ours, in place of the one that is gone: receivers drain their spools into it, and
 * workers go on.
 */
export const adoptStore = async ({ yes }: AdoptOptions, context: Context): Promise<void> => {
  const { config } = context;
  const dataDir = resolve(config.DATA_DIR);
  const run = isLocked(dataDir) ? readRunFile(dataDir) : undefined;
  const queue = await import('@clickrelay/queue');
  const store = await queue.openStore({ redisUrl: redisUrlOf(config.REDIS_URL, run), role: 'consumer' });
  const inTime = <T>(step: Promise<T>): Promise<T> =>
    queue.withDeadline(step, ANSWERS_WITHIN_MS, {
      error: () => {
        const { cause = 'Redis does not answer', mend } = store.explain() ?? {};
        return new CommandError('queue_unavailable', cause, {
          exitCode: EXIT.unreachable,
          ...(mend && { hint: mend }),
        });
      },
    });
  try {
    const found = await inTime(queue.inspectStore(store));
    const gone = goneStores(await inTime(rememberedStores(store, config)), found.mark);
    if (gone.length === 0) {
      show(context, { adopted: null, standsInFor: [] }, () => NOTHING_TO_ADOPT);
      return;
    }
    process.stderr.write(`${describe(gone, found)}\n`);
    if (!yes && !(canAsk() && (await ask('Take this Redis for ours? Enter yes: ')) === 'yes')) {
      throw new CommandError('not_confirmed', 'nothing was changed; to take this Redis for ours, add --yes');
    }
    const { id, adopts } = await inTime(queue.adoptStore(store, gone));
    show(context, { adopted: id, standsInFor: adopts }, () => `${id} stands in for ${adopts.join(', ')} from now on`);
  } finally {
    await store.close().catch(() => {});
  }
};

const redisUrlOf = (given: string, run: RunFile | undefined): string => {
  if (given !== '') return given;
  // run.json has no password for a Redis that is not ours.
  if (run?.pids['redis'] !== undefined) return run.redisUrl;
  throw new CommandError(
    'config',
    'REDIS_URL is empty, and no Redis of Clickrelay runs here; start it, or set REDIS_URL',
  );
};

const NOTHING_TO_ADOPT =
  'nothing to adopt: no part remembers another store than this Redis, as far as can be seen from here';

const describe = (gone: readonly string[], { mark, destinations, keys }: StoreFound): string =>
  [
    `This Redis ${mark === null ? 'is not marked as a store' : `is the store ${mark.id}`}; parts remember ${gone.join(', ')}.`,
    `It has ${destinations} destinations and ${keys} API keys. What was in the other store and not yet delivered is lost:`,
    'events, deliveries, dead letters, the quarantine, the audit record. If there is a backup, restore that instead.',
    'Workers and the API put back the destinations that they know, if they still run; a worker that starts applies',
    'DESTINATIONS_FILE. Make others, and API keys, again. API_KEY and CALLBACK_AUTH are settings, and stay.',
  ].join('\n');
