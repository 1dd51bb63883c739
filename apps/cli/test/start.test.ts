import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { type Program, type ProgramOptions, startProgram, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redisCommand } from '../src/commands/start/redis-command.ts';
import type { RunFile, Secrets } from '../src/data-dir.ts';

// Stand-ins replace the three parts: this tests how they are started, watched and stopped.
const standIns = fileURLToPath(new URL('./fixtures/start-stand-ins.ts', import.meta.url));
let dataDir: string;
let env: Record<string, string>;
const programs: Program[] = [];

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'clickrelay-cli-')), 'data');
  env = {
    DATA_DIR: dataDir,
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
    NODE_NO_WARNINGS: '1',
  };
});
afterEach(async () => {
  const run = await runFile().catch(() => undefined);
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGTERM')));
  if (run?.pids['redis'] !== undefined) kill(run.pids['redis']);
  await rm(join(dataDir, '..'), { recursive: true });
});

const start = async (options: Partial<ProgramOptions> & { roles?: string } = {}): Promise<Program> => {
  const { roles, ...others } = options;
  const program = await startProgram({
    args: [standIns, ...(roles === undefined ? [] : [roles])],
    readyOutput: /Mend .*doctor\n/,
    ...others,
    env: { ...env, ...others.env },
  });
  programs.push(program);
  return program;
};

const runFile = async () => JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')) as RunFile;
const secretsFile = async () => JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as Required<Secrets>;

const kill = (pid: number | undefined): void => {
  try {
    process.kill(pid as number, 'SIGKILL');
  } catch {}
};

const isAlive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid as number, 0);
  } catch {
    return false;
  }
  // An orphan that ended stays a zombie where nobody reaps it.
  const status = `/proc/${pid}/status`;
  return !(existsSync(status) && /^State:\s+Z/m.test(readFileSync(status, 'utf8')));
};

test('start makes credentials once, runs everything, prints one screen, and stops in order with code 0', async () => {
  const first = await start();
  const secrets = await secretsFile();
  expect(secrets.callbackAuth).toMatch(/^query:[\w-]{32}$/);
  expect(secrets.apiKey).toMatch(/^[\w-]{32}$/);
  expect(secrets.personKey).toMatch(/^[\w-]{32}$/);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, 'run.json'))).mode & 0o777).toBe(0o600);

  const run = await runFile();
  const redisPort = Number(new URL(run.redisUrl).port);
  expect(first.stdout()).toBe(`
Clickrelay 1.2.3 is ready (receiver, worker, api).

Callback URLs, to paste into Clickatell's portal:
  replies    http://localhost:${env['PORT']}/client-callback/one-api-reply?token=(hidden)
  statuses   http://localhost:${env['PORT']}/client-callback/one-api-status?token=(hidden)
  (hidden): \`clickrelay setup --reveal\` shows it
  Clickatell needs https and a public name: put a proxy or a tunnel in front of port ${env['PORT']},
  and start with PUBLIC_URL=https://… to see the URLs that Clickatell must call.

  Console    http://127.0.0.1:${env['API_PORT']}/
  API        http://127.0.0.1:${env['API_PORT']}  (key: apiKey in ${dataDir}/secrets.json)
  Data       ${dataDir}
  Redis      our own, 127.0.0.1:${redisPort}

  Try it     clickrelay send moText
  Watch      clickrelay tail
  Deliver    clickrelay destinations add crm --url https://crm.example.com/clickatell
  Mend       clickrelay doctor
`);
  expect(run).toMatchObject({
    pid: first.pid,
    roles: ['receiver', 'worker', 'api'],
    receiverUrl: `http://127.0.0.1:${env['PORT']}`,
    apiUrl: `http://127.0.0.1:${env['API_PORT']}`,
  });
  const got = (await (await fetch(`${run.receiverUrl}/env`)).json()) as Record<string, string>;
  expect(got).toMatchObject({
    REDIS_URL: run.redisUrl,
    CALLBACK_AUTH: secrets.callbackAuth,
    API_KEY: secrets.apiKey,
    PERSON_KEY: secrets.personKey,
    PORT: env['PORT'],
    API_PORT: env['API_PORT'],
    DATA_DIR: dataDir,
  });

  expect(await first.stop('SIGINT')).toEqual({ code: 0, signal: null });
  const messages = first.stderr().trim().split('\n');
  expect(messages.map((line) => JSON.parse(line).msg)).toEqual([
    'stopping',
    'receiver.stopped',
    'worker.stopped',
    'api.stopped',
  ]);
  expect(Object.values(run.pids).filter(isAlive)).toEqual([]);
  await expect(runFile()).rejects.toThrow('ENOENT');

  await start();
  expect(await secretsFile()).toEqual(secrets);
});

test('a part or a Redis that dies is started again', async () => {
  const program = await start();
  const before = await runFile();
  kill(before.pids['worker']);
  await program.waitForOutput(/worker ended \(SIGKILL\); starting it again/);
  kill(before.pids['redis']);
  await program.waitForOutput(/redis-server runs again/);
  const after = await waitUntil(async () => {
    const run = await runFile();
    const isNew = run.pids['worker'] !== before.pids['worker'] && run.pids['redis'] !== before.pids['redis'];
    return isNew ? run : undefined;
  });
  expect(after.pids['receiver']).toBe(before.pids['receiver']);
  expect(after.redisUrl).toBe(before.redisUrl);
});

test('start goes on and starts parts again when nobody reads its log any more', async () => {
  const script = '"$NODE" "$STAND_INS" 2>&1 | { head -1; exec 0<&-; echo reader gone; }';
  const shell = await start({
    command: 'sh',
    args: ['-c', script],
    env: { NODE: process.execPath, STAND_INS: standIns },
    readyOutput: /reader gone/,
  });
  const before = await runFile();
  for (const name of ['worker', 'redis']) kill(before.pids[name]);
  await waitUntil(async () => {
    const { pids } = await runFile();
    return pids['worker'] !== before.pids['worker'] && pids['redis'] !== before.pids['redis'];
  });
  process.kill(before.pid, 'SIGTERM');
  await shell.exited;
  await expect(runFile()).rejects.toThrow('ENOENT');
  expect(Object.values(before.pids).filter(isAlive)).toEqual([]);
});

test('a second start on the same folder says that the first one is running', async () => {
  const first = await start();
  const second = await startProgram({ args: [standIns], env });
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.stderr()).toContain(`clickrelay runs already with DATA_DIR ${dataDir} (pid ${first.pid}`);
});

test('after a kill the parts end by themselves, and the next start takes over the Redis that is left', async () => {
  const first = await start();
  const before = await runFile();
  const { callbackAuth, redisPassword } = await secretsFile();
  const redis = { port: Number(new URL(before.redisUrl).port), password: redisPassword };
  await redisCommand(redis, ['SET', 'key', 'kept']);
  await first.stop('SIGKILL');

  const second = await start();
  const after = await runFile();
  expect(second.stderr()).toContain('the redis-server of an earlier run');
  expect(after.pids['redis']).toBe(before.pids['redis']);
  expect(['receiver', 'worker', 'api'].filter((name) => isAlive(before.pids[name]))).toEqual([]);
  expect((await secretsFile()).callbackAuth).toBe(callbackAuth);
  expect(await redisCommand(redis, ['GET', 'key'])).toBe('kept');
  expect(await second.stop()).toEqual({ code: 0, signal: null });
  expect(isAlive(after.pids['redis'])).toBe(false);
});

test.each(['PORT', 'API_PORT'] as const)('a busy %s is told at once, with what to do', async (variable) => {
  const blocker = createServer().listen(Number(env[variable]), '127.0.0.1');
  await once(blocker, 'listening');
  await expect(start()).rejects.toThrow(
    `port ${env[variable]} is in use by another program; choose another with ${variable}, such as ${variable}=`,
  );
  blocker.close();
});

test('a part that cannot start ends everything, after it has said why', async () => {
  await expect(start({ env: { BREAK: 'receiver' } })).rejects.toThrow(
    /SETTING is wrong; mend it\n.*the receiver ended before it was ready \(code 1\); its log lines above say why/s,
  );
  await expect(runFile()).rejects.toThrow('ENOENT');
});

test('a second signal ends everything at once', async () => {
  const program = await start({ env: { BREAK: 'worker' } });
  const { pids } = await runFile();
  process.kill(program.pid, 'SIGINT');
  await program.waitForOutput(/receiver\.stopped/);
  expect(await program.stop('SIGINT')).toEqual({ code: 1, signal: null });
  await waitUntil(() => !Object.values(pids).some(isAlive));
});

test('a part alone has no secret made for it', async () => {
  const redis = { REDIS_URL: 'redis://127.0.0.1:1' };
  await expect(start({ roles: 'receiver', env: redis })).rejects.toThrow(
    'CALLBACK_AUTH is empty; set at least one credential, such as CALLBACK_AUTH=query:<a long random secret>, or CALLBACK_AUTH=none to accept any callback',
  );
  await expect(start({ roles: 'worker', env: redis })).rejects.toThrow(
    'PERSON_KEY is empty; set it to a long random secret, the same for every worker and API',
  );
  await expect(secretsFile()).rejects.toThrow('ENOENT');
  const alone = await start({ roles: 'receiver', env: { ...redis, CALLBACK_AUTH: 'basic:user:s3cret' } });
  expect((await runFile()).pids).toEqual({ receiver: expect.any(Number) });
  expect(alone.stdout()).toContain('with basic authentication: user user, the password from CALLBACK_AUTH');
  expect(alone.stdout()).not.toContain('s3cret');
});

test('a start without CALLBACK_AUTH goes on with the one that the last start was given, unless that was none', async () => {
  const authOf = async (given?: string): Promise<string | undefined> => {
    const program = await start(given === undefined ? {} : { env: { CALLBACK_AUTH: given } });
    const { CALLBACK_AUTH: auth } = (await (await fetch(`http://127.0.0.1:${env['PORT']}/env`)).json()) as typeof env;
    await program.stop();
    return auth;
  };
  await authOf();
  expect(await authOf('query:given,basic:a:b')).toBe('query:given,basic:a:b');
  expect(await authOf()).toBe('query:given,basic:a:b');
  expect(await authOf('none')).toBe('none');
  expect(await authOf()).toBe('query:given,basic:a:b');
});

test('PUBLIC_URL is the base of the printed callback URLs, without the secret where there is no terminal', async () => {
  const program = await start({
    env: {
      PUBLIC_URL: 'https://hooks.example.com/',
      CALLBACK_AUTH: 'query:a%2Cb&c,header:x:y',
      CALLBACK_PATH_PREFIX: '/in',
      EGRES_ALLOW: '10.0.0.0/8',
    },
  });
  const said = program.stderr().split('did you mean EGRESS_ALLOW?').length - 1;
  expect(said).toBe(1);
  expect(program.stdout()).toContain('  replies    https://hooks.example.com/in/one-api-reply?token=(hidden)\n');
  expect(`${program.stdout()}${program.stderr()}`).not.toContain('a%2Cb');
  expect(program.stdout()).not.toContain('public name');
});
