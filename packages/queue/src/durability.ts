import type { Redis } from 'ioredis';
import { LayoutMismatchError } from './errors.ts';
import type { Store } from './store.ts';

/**
 * What an acknowledged callback must survive.
 * - `always`: a crash and a power cut (fsync before every answer).
 * - `everysec`: a crash; up to about a second of callbacks is lost with the power.
 * - `replicated`: as `always`, with a replica connected; an answer does not wait for it yet, so the loss of the primary may
 *   lose what the replica has not got.
 * - `unsafe`: nothing is asked of the server.
 */
export type DurabilityMode = 'always' | 'everysec' | 'replicated' | 'unsafe';

export interface DurabilityProblem {
  readonly setting: string;
  readonly value: string;
  /** What to do about it, as a line to type where there is one. */
  readonly mend: string;
}

export interface DurabilityReport {
  readonly ready: boolean;
  /** What the server really does. */
  readonly durability: string;
  readonly problems: readonly DurabilityProblem[];
}

/** The settings that decide what a server keeps; undefined where it will not say. */
interface ServerSettings {
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  /** `no-appendfsync-on-rewrite`: nothing is synced while the file is rewritten. */
  readonly noFsyncOnRewrite: string | undefined;
  readonly policy: string | undefined;
  readonly role: string | undefined;
  readonly replicas: number;
}

const infoField = (info: string, field: string): string | undefined =>
  new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];

const readSettings = async (redis: Redis): Promise<ServerSettings> => {
  const info = await redis.info();
  // Hosted servers often refuse CONFIG; INFO tells all but the fsync policy.
  const config = await redis.config('GET', '*append*').then(
    (reply) => asRecord(reply),
    () => ({}) as Record<string, string>,
  );
  return {
    appendonly: config['appendonly'] ?? (infoField(info, 'aof_enabled') === '1' ? 'yes' : 'no'),
    appendfsync: config['appendfsync'],
    noFsyncOnRewrite: config['no-appendfsync-on-rewrite'],
    policy: infoField(info, 'maxmemory_policy'),
    role: infoField(info, 'role'),
    replicas: Number(infoField(info, 'connected_slaves') ?? 0),
  };
};

const asRecord = (flat: unknown): Record<string, string> => {
  const list = flat as string[];
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < list.length; i += 2) record[list[i] as string] = list[i + 1] as string;
  return record;
};

/** Pure: what is wrong with a server for a mode. */
export const judgeDurability = (settings: ServerSettings, mode: DurabilityMode): DurabilityReport => {
  const { appendonly, appendfsync, noFsyncOnRewrite, policy, role, replicas } = settings;
  const durability = appendonly !== 'yes' ? 'none' : (appendfsync ?? 'everysec');
  if (mode === 'unsafe') return { ready: true, durability, problems: [] };
  const problems: DurabilityProblem[] = [];
  if (appendonly !== 'yes') {
    problems.push({
      setting: 'appendonly',
      value: appendonly ?? 'unknown',
      mend: 'redis-cli config set appendonly yes',
    });
  } else if (mode === 'everysec' ? appendfsync === 'no' : appendfsync !== 'always') {
    problems.push({
      setting: 'appendfsync',
      value: appendfsync ?? 'unknown',
      mend:
        appendfsync === undefined
          ? 'this server does not tell; set DURABILITY=everysec if a second of callbacks may be lost with the power'
          : `redis-cli config set appendfsync ${mode === 'everysec' ? 'everysec' : 'always'}`,
    });
  }
  if (appendonly === 'yes' && mode !== 'everysec' && noFsyncOnRewrite === 'yes') {
    problems.push({
      setting: 'no-appendfsync-on-rewrite',
      value: noFsyncOnRewrite,
      mend: 'redis-cli config set no-appendfsync-on-rewrite no',
    });
  }
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push({
      setting: 'maxmemory-policy',
      value: policy,
      mend: 'redis-cli config set maxmemory-policy noeviction',
    });
  }
  if (role !== 'master') {
    problems.push({ setting: 'role', value: role ?? 'unknown', mend: 'point REDIS_URL at the primary' });
  }
  if (mode === 'replicated' && replicas < 1) {
    problems.push({
      setting: 'connected_slaves',
      value: String(replicas),
      mend: 'connect a replica, or set DURABILITY=always',
    });
  }
  return { ready: problems.length === 0, durability, problems };
};

export const readDurability = async (store: Store, mode: DurabilityMode): Promise<DurabilityReport> =>
  judgeDurability(await readSettings(store.redis), mode);

export interface DurabilityWatch {
  current(): DurabilityReport;
  stop(): void;
}

const away = (value: string): DurabilityReport => ({
  ready: false,
  durability: 'unknown',
  problems: [{ setting: 'connection', value, mend: 'start Redis, or set REDIS_URL to where it is' }],
});

const mismatch = ({ message }: LayoutMismatchError): DurabilityReport => ({
  ready: false,
  durability: 'unknown',
  problems: [{ setting: 'layout', value: 'another one', mend: message }],
});

/** After a look that failed, the next comes this soon: what was unreadable then may be fine by now. */
const LOOK_AGAIN_MS = 1_000;

/** Looks at the server now, whenever the connection comes back, and every `intervalMs`. */
export const watchDurability = (
  store: Store,
  { mode, intervalMs = 30_000 }: { mode: DurabilityMode; intervalMs?: number },
): DurabilityWatch => {
  let report = away('not checked yet');
  let timer: NodeJS.Timeout;
  let stopped = false;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    let nextInMs = intervalMs;
    try {
      await store.ready();
      report = await readDurability(store, mode);
    } catch (error) {
      report = error instanceof LayoutMismatchError ? mismatch(error) : away('not answering');
      nextInMs = LOOK_AGAIN_MS;
    }
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(look, nextInMs);
  };
  const onReady = (): void => {
    // It may be another server than before, or the same with other settings.
    report = away('not checked yet');
    void look();
  };
  store.redis.on('ready', onReady);
  void look();
  return {
    current: () => (store.redis.status === 'ready' ? report : away(store.redis.status)),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      store.redis.off('ready', onReady);
    },
  };
};
