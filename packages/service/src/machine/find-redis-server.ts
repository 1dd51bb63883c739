import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * Finds the redis-server to run: `CLICKRELAY_REDIS_SERVER`, else redis-server or valkey-server on PATH, else the copy
 * that `./start` and `./test` put into `.tools` of the checkout.
 */
export const findRedisServer = (): string => {
  const named = process.env['CLICKRELAY_REDIS_SERVER'];
  if (named) return named;
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      if (folder !== '' && isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  // The checkout is the nearest folder above, of src/ or of dist/, that has a workspace file.
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (!existsSync(join(folder, 'pnpm-workspace.yaml'))) continue;
    const fetched = join(folder, '.tools/redis/redis-server');
    if (isExecutable(fetched)) return fetched;
  }
  throw new Error(
    'no redis-server or valkey-server here; ' +
      'install one, set `CLICKRELAY_REDIS_SERVER` to its path, or run ./test, which fetches one',
  );
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
