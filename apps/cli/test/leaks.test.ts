import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@clickrelay/queue';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { samples } from '@clickrelay/simulator';
import { type DestinationAnswer, type Program, startDestination, waitUntil } from '@clickrelay/testkit';
import { afterEach, expect, it } from 'vitest';
import { startCli } from './run-cli.ts';

/*
 * A canary is a text that nobody but its destination may see. There is one in every field of the callbacks, in every
 * credential and in every URL. Then everything goes wrong that can, and this searches all that was written anywhere.
 */

/** As it was sent, and as base64 would show it. */
const CANARY = /canary|Y2FuYXJ5|2783123/i;
const signing = `whsec_${Buffer.from('canary-signing-secret-of-32-bytes').toString('base64')}`;
const basic = { authorization: `Basic ${Buffer.from('canary-user:canary-password').toString('base64')}` };

const atEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

/** The sample with a canary in each text, a phone number in place of each phone number, and unknown fields. */
const withCanaries = (value: unknown, key = ''): unknown => {
  if (Array.isArray(value)) return value.map((inner) => withCanaries(inner, key));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => [name, withCanaries(inner, name)]);
    return Object.fromEntries([...entries, ['canaryField', 'canary-unknown']]);
  }
  if (key === 'from' || key === 'to') return '27831230001';
  return typeof value === 'string' && key !== 'channel' ? `canary-${key}` : value;
};

const callbacks = (): string[] =>
  [samples.reply, samples.status].flatMap(({ event }) =>
    Object.entries(event).map(([type, elements]) =>
      JSON.stringify({
        integrationId: 'canary-integration',
        integrationName: 'canary-name',
        event: { [type]: withCanaries(elements) },
      }),
    ),
  );

/** The whole answer of a server to bytes that no HTTP client would send. */
const exchangeWith = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });

/** Writes a file that declares a destination for each way of failing. @returns its path */
const declareDestinations = async (folder: string): Promise<string> => {
  const nobody = await freePort();
  const kept = { status: 500, body: 'what the destination answered', headers: { 'x-answer': 'canary-header' } };
  const answers: Record<string, DestinationAnswer> = {
    fails: () => kept,
    resets: 'reset',
    redirects: () => ({ status: 302, headers: { location: 'http://canary.example/' } }),
    gone: 410,
    waits: () => ({ status: 429, headers: { 'retry-after': 'canary' } }),
  };
  const declared: object[] = [
    { id: 'refuses', type: 'webhook', url: `http://127.0.0.1:${nobody}/canary?token=canary`, secret: signing },
    { id: 'private', type: 'webhook', url: 'https://10.9.8.7/canary?token=canary', secret: signing },
    { id: 'made', type: 'webhook', url: `http://127.0.0.1:${nobody}/canary?token=canary` },
    { id: 'unanswered', type: 'pull' },
  ];
  for (const [id, answer] of Object.entries(answers)) {
    const destination = await startDestination({ answer });
    atEnd.push(() => destination.close());
    declared.push({ id, type: 'webhook', url: `${destination.url}canary?token=canary`, secret: signing });
  }
  const shy = await startDestination({ answer: 401 });
  const tokens = await startDestination({
    answer: ({ path }) =>
      path === '/gives'
        ? { status: 200, body: '{"access_token":"canary-token","token_type":"bearer"}' }
        : { status: 401, body: '{"error":"invalid_client","error_description":"canary"}' },
  });
  atEnd.push(
    () => shy.close(),
    () => tokens.close(),
  );
  const client = { type: 'oauth2', clientId: 'canary-client', clientSecret: 'canary-client-secret' };
  const known: Record<string, object> = {
    bearer: { auth: { type: 'bearer', token: 'canary-bearer' }, headers: { 'x-canary': 'canary-header' } },
    basic: { auth: { type: 'basic', username: 'canary', password: 'canary-password' } },
    tokenless: { auth: { ...client, tokenUrl: `${tokens.url}refuses?canary` } },
    tokened: { auth: { ...client, tokenUrl: `${tokens.url}gives` } },
    proxied: { proxy: { url: `http://127.0.0.1:${nobody}`, username: 'canary', password: 'canary-password' } },
    unbuilt: { transform: "$error('canary ' & $string($))" },
    uncastable: { transform: '$number($string(raw)) + $number(from)' },
  };
  for (const [id, settings] of Object.entries(known)) {
    declared.push({ id, type: 'webhook', url: `${shy.url}canary?token=canary`, secret: signing, ...settings });
  }
  const destinationsFile = join(folder, 'destinations.yaml');
  await writeFile(destinationsFile, JSON.stringify({ destinations: declared }));
  return destinationsFile;
};

/** Starts all of Clickrelay, with a canary in every setting that may hold one. */
const startRelay = async (folder: string, destinationsFile: string) => {
  const program: Program = await startCli(
    ['start'],
    {
      DATA_DIR: join(folder, 'data'),
      PORT: String(await freePort()),
      API_PORT: String(await freePort()),
      DESTINATIONS_FILE: destinationsFile,
      EGRESS_ALLOW: '127.0.0.0/8',
      RETRY_SCHEDULE: '0s,10ms',
      LOG_LEVEL: 'debug',
      CALLBACK_AUTH: 'query:canary-query,basic:canary-user:canary-password,header:x-canary:canary-header',
      API_KEY: 'canary-key-of-the-api',
      CLICKRELAY_REDIS_SERVER: findRedisServer(),
    },
    { readyOutput: /Mend/, timeoutMs: 40_000 },
  );
  atEnd.push(() => program.stop());
  const run = JSON.parse(await readFile(join(folder, 'data/run.json'), 'utf8'));
  const { redisPassword } = JSON.parse(await readFile(join(folder, 'data/secrets.json'), 'utf8'));
  return { program, run, redisPassword };
};

interface Addresses {
  /** URLs of the receiver and the API. */
  readonly receiver: string;
  readonly api: string;
}

/** Calls receiver and API, and keeps what they answer. */
const createCaller = ({ receiver, api }: Addresses) => {
  /** What any caller was answered. */
  const told: string[] = [];
  const call = async (method: string, url: string, body?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
    const text = await answer.text();
    return { status: answer.status, text, shown: `${JSON.stringify([...answer.headers])} ${text}` };
  };
  const reply = `${receiver}/client-callback/one-api-reply`;
  const post = async (body: string, query = '?token=canary-query', headers: Record<string, string> = {}) => {
    const answer = await call('POST', reply + query, body, headers);
    told.push(answer.shown);
    return answer.status;
  };
  const key = { authorization: 'Bearer canary-key-of-the-api' };
  const ask = async (path: string, method = 'GET', body?: string) => call(method, `${api}${path}`, body, key);
  const read = (path: string) =>
    waitUntil(async () => {
      const { status, text } = await ask(path);
      return status === 200 && JSON.parse(text);
    });
  return { told, call, post, ask, read };
};
type Caller = ReturnType<typeof createCaller>;

const sendAuthentic = async ({ post }: Caller): Promise<void> => {
  // Valid callbacks, with each credential.
  const sent = callbacks();
  for (const body of sent) expect(await post(body)).toBe(200);
  expect(await post(sent[0] as string, '', basic)).toBe(200);
  expect(await post(sent[0] as string, '', { 'x-canary': 'canary-header' })).toBe(200);
  // Authentic requests that are not callbacks.
  for (const body of [
    'canary',
    '{"canary":"canary"',
    '{"event":{"canary 27831230001":"canary"}}',
    '{"event":["canary"]}',
    '{"event":{"moText":[{"__proto__":"canary"}]}}',
    `{"canary":${'['.repeat(100)}`,
    '{"event":{"canary 27831230001":[{"content":"canary"}],"moSticker":[{"content":"canary"}],"moText":["canary",{"content":{"canary":"canary"},"from":["27831230001"]}]}}',
  ]) {
    expect(await post(body)).toBe(200);
  }
  expect(await post('canary', undefined, { 'content-encoding': 'gzip' })).toBe(200);
  expect(await post('canary', undefined, { 'content-encoding': 'canary' })).toBe(200);
};

const callAsStranger = async ({ told, call, post }: Caller, receiver: string): Promise<void> => {
  expect(await post('canary', '?token=canary-wrong')).toBe(401);
  expect(await post('canary', '', { authorization: 'Basic Y2FuYXJ5OmNhbmFyeQ==', 'x-canary': 'canary' })).toBe(401);
  for (const [method, path] of [
    ['POST', '/canary/27831230001?token=canary'],
    ['PUT', '/client-callback/one-api-reply?token=canary'],
    ['GET', '/readyz?token=canary'],
    ['GET', '/healthz?token=canary'],
  ] as const) {
    told.push((await call(method, receiver + path)).shown);
  }
  for (const bytes of ['canary canary\r\n\r\n', 'POST /canary HTTP/1.1\r\nHost: x\r\nCanary : canary\r\n\r\n']) {
    told.push(await exchangeWith(Number(new URL(receiver).port), bytes));
  }
};

const askAmiss = async ({ told, call, ask }: Caller, api: string): Promise<void> => {
  told.push((await call('GET', `${api}/v1/status`, undefined, { authorization: 'Bearer canary-wrong' })).shown);
  told.push((await ask('/v1/status')).shown);
  for (const body of [
    'canary',
    '{"type":"webhook","url":"ftp://canary:canary@10.0.0.1/canary?canary","secret":"canary"}',
    '{"type":"webhook","url":"https://a.example/","headers":{"x-key":"canary\\u00e9"},"auth":{"type":"bearer","token":"canary canary"}}',
    '{"type":"webhook","url":"https://a.example/","auth":{"type":"oauth2","tokenUrl":"ftp://canary","clientSecret":"canary\\n"}}',
    '{"type":"webhook","url":"https://a.example/","tls":{"cert":"canary","key":"canary"},"proxy":{"url":"http://canary@a.example"}}',
  ]) {
    told.push((await ask('/v1/destinations/some', 'PUT', body)).shown);
  }
};

/** Waits until deliveries of each kind that is checked below have ended. */
const waitForDeadLetters = async ({ ask }: Caller): Promise<void> => {
  // Not all of them end: a destination that fails too often in a row is left alone for a while.
  const endedSomewhere = async () => {
    const { items } = JSON.parse((await ask('/v1/dead-letters?limit=500')).text);
    const ended = new Set(items.map(({ destinationId }: { destinationId: string }) => destinationId));
    return ['unbuilt', 'uncastable', 'tokenless'].every((id) => ended.has(id)) && ended.size >= 4;
  };
  await waitUntil(endedSomewhere, { timeoutMs: 90_000 });
};

/** Redis stops answering, and comes back. */
const stopRedis = async ({ told, call, post, ask }: Caller, receiver: string, pid: number): Promise<void> => {
  process.kill(pid, 'SIGSTOP');
  try {
    await Promise.all([post(callbacks()[0] as string), post('canary'), sleep(2_500)]);
    told.push((await call('GET', `${receiver}/readyz`)).shown, (await ask('/v1/status')).shown);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await waitUntil(async () => (await call('GET', `${receiver}/readyz`)).status === 200);
};

/** What the API shows of failures: dead letters, attempts, reasons for quarantine. */
const readFailures = async ({ read }: Caller): Promise<string[]> => {
  const failures: string[] = [];
  const shown = JSON.stringify(await read('/v1/destinations'));
  expect(shown).not.toMatch(/whsec_|canary-(bearer|header|password|client-secret|token)/);
  const { items: built } = await read('/v1/dead-letters?kind=not_built&limit=500');
  expect(new Set(built.map(({ destinationId }: { destinationId: string }) => destinationId))).toEqual(
    new Set(['unbuilt', 'uncastable']),
  );
  const { items: refused } = await read('/v1/dead-letters?kind=refused&limit=500');
  const codes = new Set(refused.map((letter: { errorCode: string }) => letter.errorCode));
  expect(codes).toContain('token_unavailable');
  const events = (await read('/v1/events?limit=100')).items as { id: string }[];
  expect(events.length).toBeGreaterThan(8);
  let tried: string[] = [];
  await waitUntil(async () => {
    const deliveries = await Promise.all(events.map(async ({ id }) => (await read(`/v1/events/${id}`)).deliveries));
    tried = deliveries.map((one) => JSON.stringify(one));
    return tried.filter((text) => text.includes('what the destination answered')).length > 8;
  });
  failures.push(...tried);
  for (const { reason } of (await read('/v1/quarantine?limit=100')).items) failures.push(reason);
  return failures;
};

/** What BullMQ keeps of jobs that failed. */
const readFailedJobs = async (run: { redisUrl: string }, redisPassword: string): Promise<string[]> => {
  const failures: string[] = [];
  const redisUrl = new URL(run.redisUrl);
  redisUrl.password = redisPassword;
  const store = await openStore({ redisUrl: redisUrl.href, role: 'consumer' });
  await store.ready();
  for (const name of await store.redis.keys('*')) {
    if ((await store.redis.type(name)) !== 'hash') continue;
    for (const value of await store.redis.hmget(name, 'failedReason', 'stacktrace', 'returnvalue')) {
      if (value === null || value === undefined) continue;
      failures.push(value);
    }
  }
  await store.close();
  expect(failures.length).toBeGreaterThan(8);
  return failures;
};

it('logs, errors, failed jobs and answers hold no secret, phone number or content, whatever fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-leaks-'));
  atEnd.push(() => rm(folder, { recursive: true, force: true }));
  const { program, run, redisPassword } = await startRelay(folder, await declareDestinations(folder));
  const { receiverUrl: receiver, apiUrl: api } = run;
  const caller = createCaller({ receiver, api });

  await sendAuthentic(caller);
  await callAsStranger(caller, receiver);
  await askAmiss(caller, api);
  await waitForDeadLetters(caller);
  await stopRedis(caller, receiver, run.pids.redis);
  const failures = [...(await readFailures(caller)), ...(await readFailedJobs(run, redisPassword))];

  const { told, read } = caller;
  const [{ secret }] = (await read('/v1/destinations/made/secret')).secrets;
  expect(secret).toMatch(/^whsec_/);
  expect(await program.stop()).toEqual({ code: 0, signal: null });

  const found = (text: string) => text.split('\n').filter((line) => CANARY.test(line));
  // The screen shows one credential on purpose, in the URLs to paste.
  const screen = program.stdout().replaceAll('token=canary-query', '');
  expect(found(screen)).toEqual([]);
  expect(program.stderr().split('\n').length).toBeGreaterThan(50);
  expect(found(program.stderr())).toEqual([]);
  expect(found(told.join('\n'))).toEqual([]);
  expect(found(failures.join('\n'))).toEqual([]);
  for (const text of [program.stdout(), program.stderr(), ...told, ...failures]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(redisPassword);
  }
});
