import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Condition, isAboutConnecting, needsSomebody, SEVERITIES, type Severity } from '@clickrelay/health';
import { putDestination, removeDestination } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import {
  cannotShiftClock,
  createShiftedClock,
  type Destination,
  PERSON_KEY,
  type Program,
  redisCommand,
  startDestination,
  startProgram,
  waitUntil,
} from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
// A test may: it needs an API whose clock it can put forward, in front of real parts.
import { API_KEY, type Api, startApi } from '../../api/test/start-api.ts';
import { runCli } from './run-cli.ts';

// One relay of real parts is broken in one way after another. Whoever looks anywhere reads the same list.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Beside the time that the condition itself has to last. */
const TOLD_WITHIN_MS = MINUTE_MS;
const AUTH = 'query:the-right-one';
const DISK_BYTES = 8 * 1_024 * 1_024;

let aheadMs = 0;
let folder: string;
let spoolDir: string;
let api: Api;
let port: number;
let env: Record<string, string>;
let worker: Program;
let receiver: Program;
let crm: Destination;
let cannotMount: string | undefined;
const atEnd: (() => unknown)[] = [];

/** Gives the spool a disk of its own. */
const mountSpool = (): void => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', spoolDir], { stdio: 'pipe' });
    atEnd.push(() => execFileSync('umount', ['-l', spoolDir], { stdio: 'pipe' }));
  } catch {
    cannotMount = 'a full disk needs a mount of tmpfs, which this machine does not allow';
  }
};

const startPart = (role: 'receiver' | 'worker', more: Record<string, string>): Promise<Program> =>
  startProgram({
    args: [fileURLToPath(import.meta.resolve(`@clickrelay/${role}/main`))],
    env: { PERSON_KEY, REDIS_URL: api.redisUrl, ...more },
    ...(role === 'worker' ? { readyOutput: /worker\.ready/ } : { readyUrl: `http://127.0.0.1:${port}/readyz` }),
  });
const startWorker = (more: Record<string, string> = {}): Promise<Program> =>
  startPart('worker', { EGRESS_ALLOW: '127.0.0.0/8', RETRY_SCHEDULE: `0s${',2s'.repeat(60)}`, ...more });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-everywhere-'));
  spoolDir = join(folder, 'spool');
  await mkdir(spoolDir);
  mountSpool();
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { mode: 0o700 });
  // Nothing answers there: its certificate was never seen, and nothing is told of it.
  const publicUrl = `https://127.0.0.1:${await freePort()}`;
  api = await startApi({ callbackAuth: AUTH, dataDir, publicUrl, now: () => Date.now() + aheadMs });
  port = await freePort();
  env = { DATA_DIR: dataDir, REDIS_URL: api.redisUrl, API_URL: api.url, API_KEY, PORT: String(port) };
  env['CALLBACK_AUTH'] = AUTH;
  receiver = await startPart('receiver', {
    ...{ HOST: '127.0.0.1', PORT: String(port), CALLBACK_AUTH: AUTH, DATA_DIR: dataDir },
    ...{ SPOOL_DIR: spoolDir, SPOOL_MAX_BYTES: String(DISK_BYTES / 4) },
  });
  worker = await startWorker();
  crm = await startDestination();
  await putCrm();
  for (const type of ['moText', 'messageStatusUpdate']) expect(await post({ type })).toBe(200);
  await nothingIsWrong();
});
afterAll(async () => {
  await Promise.all([worker?.stop('SIGKILL'), receiver?.stop('SIGKILL')]);
  await crm?.close();
  await api?.stop();
  for (const end of atEnd.reverse()) await end();
  await rm(folder, { recursive: true });
});

const putCrm = (): Promise<unknown> =>
  putDestination(api.store, {
    id: 'crm',
    type: 'webhook',
    events: ['*'],
    paused: null,
    config: { url: crm.url, secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
  });
const putBot = (type: string): Promise<unknown> =>
  putDestination(api.store, { id: 'bot', type, events: ['moText'], paused: null, config: {} });

let posted = 0;
const post = async ({ type = 'moText', token = 'the-right-one' } = {}): Promise<number> => {
  const body = JSON.stringify(sampleCallback(type, { messageId: `everywhere-${posted++}` }));
  const url = `http://127.0.0.1:${port}/client-callback/one-api-reply?token=${token}`;
  return (await fetch(url, { method: 'POST', body })).status;
};

const isRaised = ({ state }: Condition): boolean => state === 'raised' || state === 'clearing';
const nameOf = ({ code, severity, subject }: Condition): string => `${code} ${severity} ${subject.id ?? ''}`;
const namesOf = (conditions: readonly Condition[]): string[] => conditions.map(nameOf).sort();
const isAsBadAs = (severity: Severity) => (one: Condition) =>
  SEVERITIES.indexOf(one.severity) <= SEVERITIES.indexOf(severity);

/** What is raised, when it is so much later than it is. */
const look = async (later = 0): Promise<Condition[]> => {
  aheadMs = later;
  return (await api.health.look()).conditions.filter(isRaised);
};

/** What is over ends when it has been over for a minute. */
const AFTER_A_MINUTE = [0, MINUTE_MS + 1_000];

/** @param looksMs when to look, in ms from now */
const nothingIsWrong = (looksMs: readonly number[] = AFTER_A_MINUTE): Promise<unknown> =>
  waitUntil(
    async () => {
      let left: Condition[] = [];
      for (const later of looksMs) left = await look(later);
      return !left.some(isAsBadAs('warning'));
    },
    { everyMs: 250, what: 'a relay of which nothing is wrong' },
  );

const conditionsOf = async (command: string): Promise<Condition[]> => {
  const { stdout } = await runCli([command, '--json'], env);
  // Nothing but an error: its Redis cannot be used, and nothing is wrong between Clickatell and the receiver.
  const told = JSON.parse(stdout || '{"problems":[]}');
  return command === 'setup' ? told.problems : told.conditions;
};

const isLost = (raised: readonly Condition[]): boolean => raised.some(({ code }) => code === 'data_lost');

/** The same for every surface: its list, and what that should be. */
const surfaces = async () => {
  const all: Condition[] = (await api.get('/v1/health')).body.conditions;
  const raised = all.filter(isRaised);
  const metrics = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${API_KEY}` } });
  const series = (await metrics.text()).matchAll(
    /^clickrelay_condition\{code="(.*)",severity="(.*)",subject="(.*)"\} 1$/gm,
  );
  const overview = await api.get('/v1/overview');
  const unread: string | undefined = overview.body.error?.code;
  return {
    told: {
      doctor: namesOf((await conditionsOf('doctor')).filter(isRaised)),
      status: namesOf((await conditionsOf('status')).filter(isRaised)),
      setup: namesOf(await conditionsOf('setup')),
      overview: unread ?? namesOf(overview.body.needs),
      metrics: [...series].map(([, code, severity, subject]) => `${code} ${severity} ${subject}`).sort(),
    },
    all: {
      doctor: namesOf(raised),
      status: namesOf(raised),
      setup: namesOf(raised.filter(isAboutConnecting)),
      // Its figures are read from Redis: from one that is not ours, none are.
      overview: isLost(raised) ? 'store_lost' : namesOf(raised.filter(needsSomebody)),
      metrics: namesOf(raised.filter(({ inhibitedBy }) => inhibitedBy === null)),
    },
    raised,
  };
};

/** @returns what is raised, once every surface says the same: a look may come between two of them */
const sameEverywhere = async (): Promise<Condition[]> => {
  let last = await surfaces();
  for (let tries = 1; tries < 5 && JSON.stringify(last.told) !== JSON.stringify(last.all); tries++) {
    last = await surfaces();
  }
  expect(last.told).toEqual(last.all);
  return last.raised;
};

const exitsAsItSays = async (raised: readonly Condition[]): Promise<void> => {
  const exit = async (...args: string[]) => (await runCli(args, env)).code;
  const open = raised.filter(({ inhibitedBy, acknowledged }) => inhibitedBy === null && acknowledged === null);
  const failsOn = (severity: Severity, list = open): number => Number(list.some(isAsBadAs(severity)));
  expect({
    doctor: await exit('doctor'),
    'doctor --fail-on critical': await exit('doctor', '--fail-on', 'critical'),
    'status --check': await exit('status', '--check'),
    'setup --fail-on warning': await exit('setup', '--fail-on', 'warning'),
    status: await exit('status'),
  }).toEqual({
    doctor: failsOn('warning'),
    'doctor --fail-on critical': failsOn('critical'),
    'status --check': failsOn('warning'),
    // What was asked for cannot be read either.
    'setup --fail-on warning': isLost(raised) ? 5 : failsOn('warning', open.filter(isAboutConnecting)),
    status: isLost(raised) ? 5 : 0,
  });
};

interface Break {
  /** Code, severity and subject. */
  readonly told: RegExp;
  /** Says why this machine cannot do it. */
  readonly cannot?: () => string | undefined;
  readonly breakIt: () => Promise<unknown>;
  /** How long it has to last. @default 0 */
  readonly forMs?: number;
  readonly mendIt: () => Promise<unknown>;
  /** When to look whether it is over, in ms from the mending. @default at once, and a minute later */
  readonly overMs?: readonly number[];
}

const setFsync = (value: string): Promise<unknown> =>
  redisCommand(api.redis.port, 'CONFIG', 'SET', 'appendfsync', value);
const filler = (): string => join(spoolDir, 'filler');
const lease = () => api.call('POST', '/v1/destinations/bot/lease', { max: 10, waitMs: 5_000 });
let otherWorker: Program;

const BREAKS: Record<string, Break> = {
  'a destination that fails': {
    told: /^destination_failing warning crm$/,
    breakIt: async () => {
      crm.answerWith(500);
      for (let count = 0; count < 25; count++) expect(await post()).toBe(200);
    },
    mendIt: async () => crm.answerWith(200),
    overMs: [0, 2 * MINUTE_MS + 1_000],
  },
  'a destination without an adapter': {
    told: /^adapter_missing critical bot$/,
    breakIt: () => putBot('carrier-pigeon'),
    mendIt: () => removeDestination(api.store, 'bot'),
  },
  'a consumer that asks no more': {
    told: /^consumer_silent warning bot$/,
    breakIt: async () => {
      await putBot('pull');
      expect((await api.call('POST', '/v1/destinations/bot/lease', { max: 1, waitMs: 0 })).status).toBe(200);
      await post();
    },
    forMs: 11 * MINUTE_MS,
    mendIt: async () => {
      const { body } = await lease();
      await api.call('POST', '/v1/destinations/bot/ack', body.deliveries[0]);
      await removeDestination(api.store, 'bot');
    },
  },
  'a disk that is full': {
    told: /^disk_low critical /,
    cannot: () => cannotMount,
    breakIt: () => writeFile(filler(), Buffer.alloc(DISK_BYTES - 200_000)),
    mendIt: () => rm(filler()),
  },
  'a Redis that would lose data': {
    told: /^not_durable critical $/,
    breakIt: () => setFsync('no'),
    forMs: 31_000,
    mendIt: () => setFsync('always'),
  },
  'a worker whose clock is wrong': {
    told: /^clock_wrong critical /,
    cannot: cannotShiftClock,
    breakIt: async () => {
      const clock = createShiftedClock();
      atEnd.push(() => clock.close());
      clock.shift(-40_000);
      otherWorker = await startWorker(clock.env);
    },
    forMs: MINUTE_MS + 1_000,
    mendIt: () => otherWorker.stop(),
  },
  'a worker that is dead': {
    told: /^no_worker critical $/,
    breakIt: () => worker.stop('SIGKILL'),
    forMs: 31_000,
    mendIt: async () => {
      worker = await startWorker();
    },
  },
  'a Redis that was emptied': {
    told: /^data_lost critical $/,
    breakIt: () => redisCommand(api.redis.port, 'FLUSHALL'),
    mendIt: async () => {
      expect((await runCli(['doctor', '--adopt', '--yes'], env)).code).toBe(0);
      await putCrm();
    },
  },
  'a token that is wrong': {
    told: /^wrong_credentials critical $/,
    breakIt: async () => {
      for (let count = 0; count < 26; count++) expect([401, 429]).toContain(await post({ token: 'old' }));
    },
    mendIt: async () => expect(await post()).toBe(200),
    // Nobody comes with it for an hour.
    overMs: [0, HOUR_MS + 61_000, HOUR_MS + 3 * MINUTE_MS],
  },
};

for (const [name, { told, cannot, breakIt, forMs = 0, mendIt, overMs }] of Object.entries(BREAKS)) {
  test(`${name}: every surface says the same, and that it is over when it is mended`, async (context) => {
    const why = cannot?.();
    if (why !== undefined) {
      console.warn(`NOT RUN: ${name}: ${why}`);
      context.skip(why);
    }
    await breakIt();
    // Seen now, and for as long as it has to last.
    await waitUntil(
      async () => {
        await look();
        return (await look(forMs)).some((one) => told.test(nameOf(one)));
      },
      { timeoutMs: TOLD_WITHIN_MS, everyMs: 250, what: `${told}` },
    );
    const raised = await sameEverywhere();
    expect(namesOf(raised)).toContainEqual(expect.stringMatching(told));
    await exitsAsItSays(raised);
    await mendIt();
    await nothingIsWrong(overMs);
    const left = await sameEverywhere();
    expect(left.filter(isAsBadAs('warning'))).toEqual([]);
    await exitsAsItSays(left);
    aheadMs = 0;
  });
}
