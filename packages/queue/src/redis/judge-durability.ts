import type { DurabilityMode } from './durability-mode.ts';

/** What each mode does not promise, in the words of `/readyz`. */
export const MAY_BE_LOST: Readonly<Record<DurabilityMode, string>> = {
  always: 'what was acknowledged is lost with the disk of Redis, and the last of it with a failover to a replica',
  everysec:
    'the last second of what was acknowledged, or more while the disk is slow, is lost with the power; and with a failover to a replica',
  replicated: 'what was acknowledged is lost when the primary and every replica that had it are lost together',
  unsafe: 'anything that was acknowledged, whenever Redis stops, or runs out of memory',
};

export interface DurabilityProblem {
  readonly setting: string;
  readonly value: string;
  /** How to mend it, as a line to type where there is one. */
  readonly mend: string;
}

/** The commit notices by itself, in time, and notices the end of it too: a spool takes callbacks meanwhile. */
export const isPassing = ({ setting }: DurabilityProblem): boolean =>
  setting === 'connection' || setting === 'used_memory' || setting === 'store';

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

/** The settings that decide what a server keeps; undefined where it does not tell. */
export interface ServerSettings {
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

/** A setting that may be wrong for a mode, and how to mend it. */
interface Rule {
  readonly setting: string;
  value(server: ServerSettings): string | undefined;
  isWrong(server: ServerSettings, mode: DurabilityMode): boolean;
  mend(server: ServerSettings, mode: DurabilityMode): string;
}

const syncsTooRarely = (appendfsync: string | undefined, mode: DurabilityMode): boolean =>
  mode === 'everysec' ? appendfsync === 'no' : appendfsync !== 'always';

const RULES: readonly Rule[] = [
  {
    setting: 'appendonly',
    value: ({ appendonly }) => appendonly,
    isWrong: ({ appendonly }) => appendonly !== 'yes',
    mend: ({ cli }) => `${cli} config set appendonly yes`,
  },
  {
    setting: 'appendfsync',
    value: ({ appendfsync }) => appendfsync,
    isWrong: ({ appendonly, appendfsync }, mode) => appendonly === 'yes' && syncsTooRarely(appendfsync, mode),
    mend: ({ appendfsync, cli }, mode) =>
      appendfsync === undefined
        ? 'this server does not tell; set DURABILITY=everysec if a second of callbacks may be lost with the power'
        : `${cli} config set appendfsync ${mode === 'everysec' ? 'everysec' : 'always'}`,
  },
  {
    setting: 'no-appendfsync-on-rewrite',
    value: ({ noFsyncOnRewrite }) => noFsyncOnRewrite,
    isWrong: ({ appendonly, noFsyncOnRewrite }, mode) =>
      appendonly === 'yes' && mode !== 'everysec' && noFsyncOnRewrite === 'yes',
    mend: ({ cli }) => `${cli} config set no-appendfsync-on-rewrite no`,
  },
  {
    setting: 'aof_last_write_status',
    value: ({ lastWrite }) => lastWrite,
    isWrong: ({ lastWrite }) => lastWrite === 'err',
    mend: () => 'make room on the disk of Redis',
  },
  {
    setting: 'maxmemory-policy',
    value: ({ policy }) => policy,
    isWrong: ({ policy }) => policy !== undefined && policy !== 'noeviction',
    mend: ({ cli }) => `${cli} config set maxmemory-policy noeviction`,
  },
  {
    setting: 'role',
    value: ({ role }) => role,
    isWrong: ({ role }) => role !== 'master',
    mend: ({ primary }) => `point REDIS_URL at the primary${primary === undefined ? '' : `, which is at ${primary}`}`,
  },
  {
    setting: 'connected_slaves',
    value: ({ replicas }) => String(replicas),
    isWrong: ({ role, replicas }, mode) => mode === 'replicated' && role === 'master' && replicas < 1,
    mend: () =>
      'connect a replica (on its server: redis-cli replicaof <host> <port> of this one), or set DURABILITY=always',
  },
];

/** Pure: what is wrong with a server for a mode. */
export const judgeDurability = (server: ServerSettings, mode: DurabilityMode): DurabilityReport => {
  const rules = mode === 'unsafe' ? [] : RULES.filter((rule) => rule.isWrong(server, mode));
  return {
    ready: rules.length === 0,
    mode,
    durability: server.appendonly === 'yes' ? (server.appendfsync ?? 'everysec') : 'none',
    mayBeLost: MAY_BE_LOST[mode],
    problems: rules.map((rule) => ({
      setting: rule.setting,
      value: rule.value(server) ?? 'unknown',
      mend: rule.mend(server, mode),
    })),
  };
};
