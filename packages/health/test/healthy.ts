import type { Part, ReceiverPart, WorkerPart } from '@clickrelay/queue';
import type { CallbackFacts, ClusterFacts, DestinationFacts, Facts, LaneFacts, ServerFacts } from '../src/facts.ts';
import { isUnknown, type Known } from '../src/known.ts';

/* Facts of a relay of which nothing is wrong, and changes of them. */

export const NOW = Date.parse('2026-11-30T12:00:00.000Z');
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

const iso = (ms: number): string => new Date(ms).toISOString();

const common = {
  hostName: 'host-1',
  version: '1.2.3',
  startedAt: iso(NOW - DAY),
  at: iso(NOW - SECOND),
  storeId: 'str_1',
  roundTripMs: 1,
  clockOffsetMs: 5,
  clockJumpMs: 0,
  eventLoop: 0.1,
  disks: [],
  settings: {},
} as const;

type Spool = NonNullable<ReceiverPart['readiness']['spool']>;
const spoolOf = (changes: Partial<Spool>): Spool => ({
  records: 0,
  bytes: 0,
  maxBytes: 10 * GIB,
  bytesPerMinute: 0,
  oldestAt: null,
  setAside: 0,
  refusing: null,
  ...changes,
});

export const receiver = (
  changes: Partial<ReceiverPart> = {},
  { spool, ...readiness }: Partial<Omit<ReceiverPart['readiness'], 'spool'>> & { spool?: Partial<Spool> } = {},
): Part => ({
  ...common,
  role: 'receiver',
  process: 'host-1:1',
  host: '127.0.0.1',
  port: 8080,
  pathPrefix: '/client-callback',
  credentials: ['query'],
  credentialIds: [],
  allowIps: [],
  integrationIds: [],
  maxBodyBytes: 32 * MIB,
  commitP99Ms: 20,
  readiness: {
    ready: true,
    mode: 'always',
    durability: 'always',
    mayBeLost: '',
    problems: [],
    spool: spoolOf(spool ?? {}),
    ...readiness,
  },
  ...changes,
});

export const worker = (changes: Partial<WorkerPart> = {}): Part => ({
  ...common,
  role: 'worker',
  process: 'host-1:2',
  adapters: ['webhook'],
  unopened: [],
  ...changes,
});

export const api = (): Part => ({ ...common, role: 'api', process: 'host-1:3', publicUrl: 'https://relay.example' });

const laneOf = (changes: Partial<LaneFacts>): LaneFacts => ({
  groups: 0,
  oldestGroupAt: null,
  firstAt: NOW - 100 * DAY,
  lastAt: NOW - MINUTE,
  sameSpanBefore: [1, 1, 1, 1],
  countedMs: 32 * DAY,
  longestGapMs: HOUR,
  lastWeek: 10_000,
  wasReady: true,
  ...changes,
});

export const destinationOf = (changes: Partial<DestinationFacts> = {}): DestinationFacts => ({
  id: 'crm',
  type: 'webhook',
  createdAt: NOW - 10 * DAY,
  paused: null,
  failingSince: null,
  lastErrorCode: null,
  throttledSince: null,
  waiting: 0,
  oldestWaitingAt: null,
  deadLetters: 0,
  deadLettersLast10m: 0,
  newestDeadLetterAt: null,
  firstAttempts: { ended: 100, failed: 0 },
  attemptsLastHour: 600,
  p95Ms: 100,
  timeoutMs: 15_000,
  attempts: 1_000,
  everDelivered: true,
  isRefusedByGuard: false,
  wantedOfLast1000: 500,
  lastAskedAt: null,
  certificateEndsAt: NOW + 60 * DAY,
  oldSecretEndsAt: null,
  ...changes,
});

const NONE = { unavailable: 0, tooLarge: 0, unprocessable: 0, rateLimited: 0 };

const base: Facts = {
  redis: { state: 'answers' },
  store: { expectedId: 'str_1', foundId: 'str_1', otherLayout: null, createdAt: NOW - 100 * DAY },
  server: {
    durability: { ready: true, mode: 'always', durability: 'always', mayBeLost: '', problems: [] },
    lastRewrite: 'ok',
    usedBytes: 100 * MIB,
    limitBytes: GIB,
    limit: 'maxmemory',
    delayedFsyncs: 0,
    replicas: 0,
  },
  parts: [receiver(), worker(), api()],
  deaths: [],
  setup: {
    publicUrl: 'https://relay.example',
    takesAnybody: false,
    knowsCredential: true,
    certificateEndsAt: NOW + 60 * DAY,
  },
  callbacks: {
    refusedLast5m: NONE,
    refusedLast15m: NONE,
    wrongCredentials: 0,
    firstWrongAt: null,
    withoutCredential: 0,
    lastAcceptedAt: NOW - MINUTE,
  },
  lanes: { messages: laneOf({}), statuses: laneOf({}) },
  lag: { events: 100, medianMs: 800, isOurs: false },
  ledger: { walkedAt: NOW - HOUR, unaccounted: { crm: 0 }, unaccountedBefore: { crm: 0 } },
  quarantine: { callbacks: 0, bytes: 0, maxCallbacks: 10_000, maxBytes: 256 * MIB },
  log: { trimmedEarly: 0, trimmedEarlyAt: null, notIndexed: 0, sampled: 20 },
  destinations: [destinationOf()],
  credentials: [],
  cluster: null,
  channels: [{ id: 'ops', failingSince: null, lastErrorCode: null }],
};

/** What is known of it, for a change of a part. */
const known = <T>(fact: Known<T>): T => {
  if (isUnknown(fact)) throw new Error('a healthy fact is known');
  return fact;
};

/** A healthy relay but for these facts. */
export const but = (changes: Partial<Facts> = {}): Facts => ({ ...base, ...changes });

type Partly<K extends keyof Facts> = Partial<Extract<Exclude<Facts[K], { unknown: string } | null>, object>>;
const changed =
  <K extends 'store' | 'server' | 'setup' | 'lag' | 'ledger' | 'quarantine' | 'log'>(name: K) =>
  (changes: Partly<K>): Facts => ({ ...base, [name]: { ...known(base[name] as Known<object>), ...changes } });

export const [store, setup, lag, ledger, quarantine, log] = [
  changed('store'),
  changed('setup'),
  changed('lag'),
  changed('ledger'),
  changed('quarantine'),
  changed('log'),
];

export const server = (changes: Partial<ServerFacts>, durability: Partial<ServerFacts['durability']> = {}): Facts => {
  const healthy = known(base.server);
  return but({ server: { ...healthy, durability: { ...healthy.durability, ...durability }, ...changes } });
};

export const parts = (...living: Part[]): Facts => but({ parts: living });

export const lane = (changes: Partial<LaneFacts>, more: Partial<Facts> = {}): Facts =>
  but({ lanes: { messages: laneOf(changes), statuses: laneOf({}) }, ...more });

export const lanes = (messages: Partial<LaneFacts>, statuses: Partial<LaneFacts>, more: Partial<Facts> = {}): Facts =>
  but({ lanes: { messages: laneOf(messages), statuses: laneOf(statuses) }, ...more });

export const callbacks = (changes: Partial<CallbackFacts>): Facts =>
  but({ callbacks: { ...known(base.callbacks), ...changes } });

export const refused = (last5m: Partial<typeof NONE>, last15m: Partial<typeof NONE> = last5m): Facts =>
  callbacks({ refusedLast5m: { ...NONE, ...last5m }, refusedLast15m: { ...NONE, ...last15m } });

export const destination = (changes: Partial<DestinationFacts>, more: Partial<Facts> = {}): Facts =>
  but({ destinations: [destinationOf(changes)], ...more });

export const cluster = (changes: Partial<ClusterFacts>, more: Partial<Facts> = {}): Facts =>
  but({ cluster: { movingSlots: 0, stuckSince: null, isDown: false, ...changes }, ...more });
