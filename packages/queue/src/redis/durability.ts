import type { Redis } from 'ioredis';
import type { DurabilityMode } from './durability-mode.ts';
import { LayoutMismatchError, StoreLostError } from './errors.ts';
import type { RedisTrouble } from './explain-error.ts';
import {
  type DurabilityProblem,
  type DurabilityReport,
  judgeDurability,
  MAY_BE_LOST,
  type ServerSettings,
} from './judge-durability.ts';
import type { MemoryWatch } from './memory.ts';
import type { Store } from './store.ts';

const infoField = (info: string, field: string): string | undefined =>
  new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];

const readSettings = async (redis: Redis): Promise<ServerSettings> => {
  const info = await redis.info();
  // Hosted servers often refuse CONFIG. INFO tells everything but the fsync policy.
  const config = await redis.config('GET', '*append*').then(
    (reply) => asRecord(reply),
    () => ({}) as Record<string, string>,
  );
  const primaryHost = infoField(info, 'master_host');
  return {
    appendonly: config['appendonly'] ?? (infoField(info, 'aof_enabled') === '1' ? 'yes' : 'no'),
    appendfsync: config['appendfsync'],
    noFsyncOnRewrite: config['no-appendfsync-on-rewrite'],
    lastWrite: infoField(info, 'aof_last_write_status'),
    policy: infoField(info, 'maxmemory_policy'),
    role: infoField(info, 'role'),
    replicas: Number(infoField(info, 'connected_slaves') ?? 0),
    cli: cliOf(redis),
    primary: primaryHost === undefined ? undefined : `${primaryHost}:${infoField(info, 'master_port')}`,
  };
};

const cliOf = ({ stream, options }: Redis): string => {
  const { remoteAddress: host, remotePort: port } = stream;
  const where = [
    ...(host === undefined || host === '127.0.0.1' || host === '::1' ? [] : ['-h', host]),
    ...(port === undefined || port === 6379 ? [] : ['-p', String(port)]),
    ...(options.tls === undefined ? [] : ['--tls']),
  ];
  return ['redis-cli', ...where].join(' ');
};

const asRecord = (flat: unknown): Record<string, string> => {
  const list = flat as string[];
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < list.length; i += 2) record[list[i] as string] = list[i + 1] as string;
  return record;
};

/** From the least durable to the most. */
const LEAST_FIRST = ['none', 'no', 'everysec', 'always'];

/** Judges the server, or every master of a Cluster: a Cluster is as durable as its least durable master. */
export const readDurability = async (store: Store, mode: DurabilityMode): Promise<DurabilityReport> => {
  const reports = await Promise.all(
    store.servers().map(async (server) => judgeDurability(await readSettings(server), mode)),
  );
  const [least] = reports.sort((a, b) => LEAST_FIRST.indexOf(a.durability) - LEAST_FIRST.indexOf(b.durability));
  if (least === undefined) throw new Error('no server of the Redis Cluster is known');
  return {
    ...least,
    ready: reports.every(({ ready }) => ready),
    problems: reports.flatMap(({ problems }) => problems),
  };
};

export interface DurabilityWatch {
  current(): DurabilityReport;
  stop(): void;
}

const unknown = (mode: DurabilityMode, problem: DurabilityProblem): DurabilityReport => ({
  ready: false,
  mode,
  durability: 'unknown',
  mayBeLost: MAY_BE_LOST[mode],
  problems: [problem],
});

/** @param value what is known when nothing better is */
const away = (mode: DurabilityMode, value: string, trouble?: RedisTrouble): DurabilityReport =>
  unknown(mode, {
    setting: 'connection',
    value: trouble === undefined ? value : `not usable: ${trouble.cause}`,
    mend: trouble?.mend ?? 'start Redis, or set REDIS_URL to where it is',
  });

const mismatch = (mode: DurabilityMode, { message }: LayoutMismatchError): DurabilityReport =>
  unknown(mode, { setting: 'layout', value: 'another one', mend: message });

const full = (percent: number): DurabilityProblem => ({
  setting: 'used_memory',
  value: `${percent} % of maxmemory`,
  mend: 'give Redis more memory (redis-cli config set maxmemory <bytes>), or let the workers catch up: the rest is kept for them',
});

const lostStore = ({ identity: { problem } }: Store): DurabilityProblem[] => (problem === undefined ? [] : [problem]);

const withProblem = (report: DurabilityReport, problem: DurabilityProblem): DurabilityReport => ({
  ...report,
  ready: false,
  problems: [...report.problems, problem],
});

/** How soon the next check follows one that failed. */
const LOOK_AGAIN_MS = 250;

/** Checks the server now, whenever the connection comes back, and every `intervalMs`. */
export const watchDurability = (
  store: Store,
  { mode, intervalMs = 30_000, memory }: { mode: DurabilityMode; intervalMs?: number; memory?: MemoryWatch },
): DurabilityWatch => {
  let report = away(mode, 'not checked yet');
  let timer: NodeJS.Timeout;
  let stopped = false;
  let looks = 0;
  const describeFailure = (error: unknown): DurabilityReport =>
    error instanceof LayoutMismatchError ? mismatch(mode, error) : away(mode, 'not answering', store.explain(error));
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    const mine = ++looks;
    let nextInMs = intervalMs;
    let found: DurabilityReport | undefined;
    try {
      found = await readDurability(store, mode);
      // Checking the layout may write, which a replica refuses: that error would hide the real problem.
      if (!found.problems.some(({ setting }) => setting === 'role')) await store.ready();
      if (found.ready) await store.identity.settle();
    } catch (error) {
      // That the store is lost is part of each report, see below.
      if (!(error instanceof StoreLostError && found !== undefined)) found = describeFailure(error);
      nextInMs = LOOK_AGAIN_MS;
    }
    // A check that began before the connection came back may fail after a newer check has ended.
    if (mine !== looks) return;
    report = found;
    if (!stopped) timer = setTimeout(look, nextInMs);
  };
  const onReady = (): void => {
    // It may be another server, or the same server with other settings.
    report = away(mode, 'not checked yet');
    void look();
  };
  const onNode = (): void => void look();
  store.redis.on('ready', onReady);
  // A new node of a Cluster, or one that has taken over, may have other settings.
  store.redis.on('+node', onNode);
  void look();
  return {
    current: () => {
      if (store.redis.status !== 'ready') return away(mode, store.redis.status, store.explain());
      const percent = memory?.fullPercent();
      const problems = [...(percent === undefined ? [] : [full(percent)]), ...lostStore(store)];
      return problems.reduce(withProblem, report);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      store.redis.off('ready', onReady);
      store.redis.off('+node', onNode);
    },
  };
};
