import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { createSender, sampleCallback } from '@clickrelay/simulator';
import { type Program, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli, startCli } from './run-cli.ts';

// The real parts, and a pretend Clickatell that calls the URLs which the commands print.

let folder: string;
let environment: Record<string, string>;
let program: Program | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
  };
});
afterEach(async () => {
  await program?.stop();
  await rm(folder, { recursive: true });
});

const start = async (): Promise<void> => {
  await program?.stop();
  program = await startCli(['start'], environment, { readyOutput: /Mend/ });
};

/** Asks the API, as a person who may do everything. */
const ask = async <Answer>(path: string): Promise<Answer> => {
  const { apiKey } = JSON.parse(await readFile(join(folder, 'data/secrets.json'), 'utf8'));
  const headers = { authorization: `Bearer ${apiKey}` };
  return (await (await fetch(`http://127.0.0.1:${environment['API_PORT']}${path}`, { headers })).json()) as Answer;
};

/** The URL that a person is told to paste. */
const shownUrl = async (): Promise<string> => {
  const shown = await waitUntil(async () => {
    const { callbackUrls } = await ask<{ callbackUrls: { local: { replies: string } | null } }>(
      '/v1/setup?reveal=true',
    );
    return callbackUrls.local?.replies;
  });
  return shown.replace('localhost', '127.0.0.1');
};

const cli = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCli(args, environment);
  expect(code, stderr).toBe(0);
  return stdout;
};

/** The URL for replies, as a person copies it. */
const urlIn = (text: string): string => (/replies +(\S+)/.exec(text)?.[1] ?? '').replace('localhost', '127.0.0.1');

const send = async (url: string): Promise<number> => {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(sampleCallback('moText')) });
  await answer.text();
  return answer.status;
};

/** Sends to what `urlOf` says at the moment, until told to stop. @returns how often each status came */
const startLoad = (urlOf: () => string) => {
  const statuses: Record<string, number> = {};
  const senders = new Map<string, ReturnType<typeof createSender>>();
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const url = urlOf();
      const sender = senders.get(url) ?? createSender({ url, tries: 1, connections: 8 });
      senders.set(url, sender);
      const batch = Array.from({ length: 50 }, () => sampleCallback('moText'));
      const report = await sender.sendMany(batch, { connections: 8 });
      for (const [status, count] of Object.entries(report.statuses)) {
        statuses[status] = (statuses[status] ?? 0) + count;
      }
    }
    for (const sender of senders.values()) await sender.close();
  })();
  const count = (): number => Object.values(statuses).reduce((sum, one) => sum + one, 0);
  return {
    someMore: async (): Promise<void> => {
      const before = count();
      await waitUntil(() => count() >= before + 200, { timeoutMs: 30_000, what: '200 more answers' });
    },
    stop: async (): Promise<Record<string, number>> => {
      isOver = true;
      await running;
      return statuses;
    },
  };
};

it('a credential is changed under load without a refused callback or a restart, and stays so after one', async () => {
  await start();
  let url = await shownUrl();
  const old = url;
  const load = startLoad(() => url);
  await load.someMore();
  const rotated = await cli('credentials', 'rotate');
  expect(rotated).toMatch(/^crd_[0-9a-f]{12} is made; 1 receiver accepts it beside the others\n/);
  // At this moment the portal has the new one.
  url = urlIn(rotated);
  expect(url).not.toBe(old);
  await load.someMore();

  const list = async () =>
    (await ask<{ items: { id: string; origin: string; lastUsedAt: string | null }[] }>('/v1/credentials')).items;
  await waitUntil(async () => typeof (await list())[0]?.lastUsedAt === 'string', {
    timeoutMs: 20_000,
    what: 'the use of the new one is known',
  });
  const items = await list();
  expect(items.map(({ origin }) => origin)).toEqual(['made', 'declared']);
  const declared = items[1] as (typeof items)[number];
  const refused = await runCli(['credentials', 'revoke', declared.id], environment);
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`a callback came with ${declared.id}`)]);
  expect(await cli('credentials', 'revoke', declared.id, '--even-if-used')).toContain('is accepted no more\n');
  expect(await send(old)).toBe(401);
  await load.someMore();
  const statuses = await load.stop();
  expect(statuses).toEqual({ 200: expect.any(Number) });

  // A start reads the first credential from its file: it stays revoked, and the new one is shown.
  await start();
  expect(await shownUrl()).toBe(url);
  expect([await send(url), await send(old)]).toEqual([200, 401]);
  expect(await cli('setup', '--test')).toContain('it arrived');
  const told = [program?.stderr(), await readFile(join(folder, 'data/secrets.json'), 'utf8')].join();
  expect(told).not.toContain(new URL(url).searchParams.get('token'));
}, 120_000);
