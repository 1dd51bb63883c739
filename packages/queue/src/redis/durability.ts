import type { Redis } from 'ioredis';
import type { DurabilityMode } from './durability-mode.ts';
import { LayoutMismatchError } from './errors.ts';
import type { MemoryWatch } from './memory.ts';
import type { Store } from './store.ts';

/** What each mode does not promise, in the words of `/readyz`. */
const MAY_BE_LOST: Readonly<Record<DurabilityMode, string>> = {
  always: 'what was acknowledged is lost with the disk of Redis, and the last of it with a failover to a replica',
  everysec:
    'the last second of what was acknowledged, or more while the disk is slow, is lost with the power; and with a failover to a replica',
  replicated: 'what was acknowledged is lost when the primary and every replica that had it are lost together',
  unsafe: 'anything that was acknowledged, whenever Redis stops, or runs out of memory',
};

export interface DurabilityProblem {
  readonly setting: string;
  readonly value: string;
  /** What to do about it, as a line to type where there is one. */
  readonly mend: string;
}

/** Not a setting that a person has to mend: the commit finds out about these by itself, in time, and about their end too. */
export const isPassing = ({ setting }: DurabilityProblem): boolean =>
  setting === 'connection' || setting === 'used_memory';

export interface DurabilityReport {
  readonly ready: boolean;
  /** What was asked for: `DURABILITY`. */
  readonly mode: DurabilityMode;
  /** What the server really does. */
  readonly durability: string;
  /** What the mode does not promise. */
  readonly mayBeLost: string;
  readonly problems: readonly DurabilityProblem[];
}

/** The settings that decide what a server keeps; undefined where it will not say. */
interface ServerSettings {
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  /** `no-appendfsync-on-rewrite`: nothing is synced while the file is rewritten. */
  readonly noFsyncOnRewrite: string | undefined;
  /** `ok`, or `err` while its disk takes nothing. */
  readonly lastWrite: string | undefined;
  readonly policy: string | undefined;
  readonly role: string | undefined;
  readonly replicas: number;
  /** How to reach it with redis-cli: `redis-cli -p 7001`. */
  readonly cli: string;
  /** Of a replica: where its primary is. */
  readonly primary: string | undefined;
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

/** Pure: what is wrong with a server for a mode. */
export const judgeDurability = (settings: ServerSettings, mode: DurabilityMode): DurabilityReport => {
  const { appendonly, appendfsync, noFsyncOnRewrite, lastWrite, policy, role, replicas, cli, primary } = settings;
  const report = {
    mode,
    durability: appendonly !== 'yes' ? 'none' : (appendfsync ?? 'everysec'),
    mayBeLost: MAY_BE_LOST[mode],
  };
  if (mode === 'unsafe') return { ready: true, ...report, problems: [] };
  const problems: DurabilityProblem[] = [];
  if (appendonly !== 'yes') {
    problems.push({
      setting: 'appendonly',
      value: appendonly ?? 'unknown',
      mend: `${cli} config set appendonly yes`,
    });
  } else if (mode === 'everysec' ? appendfsync === 'no' : appendfsync !== 'always') {
    problems.push({
      setting: 'appendfsync',
      value: appendfsync ?? 'unknown',
      mend:
        appendfsync === undefined
          ? 'this server does not tell; set DURABILITY=everysec if a second of callbacks may be lost with the power'
          : `${cli} config set appendfsync ${mode === 'everysec' ? 'everysec' : 'always'}`,
    });
  }
  if (appendonly === 'yes' && mode !== 'everysec' && noFsyncOnRewrite === 'yes') {
    problems.push({
      setting: 'no-appendfsync-on-rewrite',
      value: noFsyncOnRewrite,
      mend: `${cli} config set no-appendfsync-on-rewrite no`,
    });
  }
  if (lastWrite === 'err') {
    problems.push({ setting: 'aof_last_write_status', value: lastWrite, mend: 'make room on the disk of Redis' });
  }
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push({
      setting: 'maxmemory-policy',
      value: policy,
      mend: `${cli} config set maxmemory-policy noeviction`,
    });
  }
  if (role !== 'master') {
    const where = primary === undefined ? '' : `, which is at ${primary}`;
    problems.push({ setting: 'role', value: role ?? 'unknown', mend: `point REDIS_URL at the primary${where}` });
  }
  if (mode === 'replicated' && role === 'master' && replicas < 1) {
    problems.push({
      setting: 'connected_slaves',
      value: String(replicas),
      mend: 'connect a replica (on its server: redis-cli replicaof <host> <port> of this one), or set DURABILITY=always',
    });
  }
  return { ready: problems.length === 0, ...report, problems };
};

/** From the least to the most that a server does. */
const LEAST_FIRST = ['none', 'no', 'everysec', 'always'];

/** Of one server, or of every master of a Cluster: as safe as the least safe of them. */
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

const away = (mode: DurabilityMode, value: string): DurabilityReport =>
  unknown(mode, { setting: 'connection', value, mend: 'start Redis, or set REDIS_URL to where it is' });

const mismatch = (mode: DurabilityMode, { message }: LayoutMismatchError): DurabilityReport =>
  unknown(mode, { setting: 'layout', value: 'another one', mend: message });

const full = (percent: number): DurabilityProblem => ({
  setting: 'used_memory',
  value: `${percent} % of maxmemory`,
  mend: 'give Redis more memory (redis-cli config set maxmemory <bytes>), or let the workers catch up: the rest is kept for them',
});

const withProblem = (report: DurabilityReport, problem: DurabilityProblem): DurabilityReport => ({
  ...report,
  ready: false,
  problems: [...report.problems, problem],
});

/** After a look that failed, the next comes this soon: what was unreadable then may be fine by now. */
const LOOK_AGAIN_MS = 250;

/** Looks at the server now, whenever the connection comes back, and every `intervalMs`. */
export const watchDurability = (
  store: Store,
  { mode, intervalMs = 30_000, memory }: { mode: DurabilityMode; intervalMs?: number; memory?: MemoryWatch },
): DurabilityWatch => {
  let report = away(mode, 'not checked yet');
  let timer: NodeJS.Timeout;
  let stopped = false;
  let looks = 0;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    const mine = ++looks;
    let nextInMs = intervalMs;
    let found: DurabilityReport;
    try {
      found = await readDurability(store, mode);
      // A replica takes no writes, and the check of the layout may be one: it would hide what is wrong behind an error.
      if (!found.problems.some(({ setting }) => setting === 'role')) await store.ready();
    } catch (error) {
      found = error instanceof LayoutMismatchError ? mismatch(mode, error) : away(mode, 'not answering');
      nextInMs = LOOK_AGAIN_MS;
    }
    // One that began before the connection came back may end, badly, after the one that began then.
    if (mine !== looks) return;
    report = found;
    if (!stopped) timer = setTimeout(look, nextInMs);
  };
  const onReady = (): void => {
    // It may be another server than before, or the same with other settings.
    report = away(mode, 'not checked yet');
    void look();
  };
  const onNode = (): void => void look();
  store.redis.on('ready', onReady);
  // A node of a Cluster that is new, or has taken over, may be set otherwise.
  store.redis.on('+node', onNode);
  void look();
  return {
    current: () => {
      if (store.redis.status !== 'ready') return away(mode, store.redis.status);
      const percent = memory?.fullPercent();
      return percent === undefined ? report : withProblem(report, full(percent));
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      store.redis.off('ready', onReady);
      store.redis.off('+node', onNode);
    },
  };
};
