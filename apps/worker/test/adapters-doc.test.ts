import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testAdapter } from '@clickrelay/adapter-contract';
import { type Deliverer, DeliveryError, formatEvent, type PluggedAdapter } from '@clickrelay/core';
import { listDeadLetters, readDestination } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { PERSON_KEY, type Program, startDestination, startProgram, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { guardDeliverer } from '../src/guard-deliverer.ts';
import { useWorker } from './use-worker.ts';

// The code exactly as in docs/adapters.md.

const MAIN = new URL('../src/main.ts', import.meta.url).pathname;
const page = await readFile(new URL('../../../docs/adapters.md', import.meta.url), 'utf8');
const [, code = ''] = /^```js\n(\/\*\* @type.*?)^```$/ms.exec(page) ?? [];
const [, yaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];

let folder: string;
let chat: string;
let adapter: PluggedAdapter;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-adapter-'));
  chat = join(folder, 'chat.mjs');
  await writeFile(chat, code);
  adapter = (await import(pathToFileURL(chat).href)).default({ z, DeliveryError, formatEvent });
});
afterAll(() => rm(folder, { recursive: true }));

const openChat = (url: string): Deliverer => adapter.open(adapter.config.parse({ url, timeoutMs: 1_000 }) as never);

describe('the adapter of docs/adapters.md', () => {
  it('has fewer than 40 lines', () => {
    expect(code.trimEnd().split('\n').length).toBeLessThan(40);
  });

  testAdapter(it, { open: openChat });
});

describe('the same adapter, run by the contract tests', () => {
  testAdapter(it, { open: (url) => guardDeliverer('chat', openChat(url)) });
});

describe('an adapter that makes mistakes', () => {
  const attempt = { signal: new AbortController().signal } as Parameters<Deliverer['deliver']>[0];
  const failing = (deliver: () => Promise<never>): Promise<unknown> =>
    guardDeliverer('chat', { deliver, close: async () => {} }, { longestAttemptMs: 50 })
      .deliver(attempt)
      .catch((error: unknown) => error);

  it.each([
    ['throws what is no DeliveryError', () => Promise.reject(new TypeError('27999')), 'destination_refused'],
    ['says that it was stopped when it was not', () => Promise.reject(stopped()), 'destination_refused'],
    ['never ends', () => new Promise<never>(() => {}), 'destination_timeout'],
  ])('%s: the attempt counts, and another one follows', async (_mistake, deliver, expected) => {
    const error = await failing(deliver);
    expect(error).toMatchObject({ name: 'DeliveryError', code: expected, retryable: true });
    expect((error as Error).message).not.toContain('27999');
  });

  const stopped = () => new DeliveryError('delivery_aborted', 'stopped', { retryable: true });
});

const worker = useWorker();

describe('a worker with ADAPTERS', () => {
  const start = (environment: Record<string, string>): Promise<Program> =>
    startProgram({
      args: [MAIN],
      env: { PERSON_KEY, REDIS_URL: worker.redis.url, RETRY_SCHEDULE: '0s,20ms', ...environment },
      cwd: folder,
      readyOutput: /worker\.ready/,
    });

  it('reads destinations of that type from a file, delivers to them, and makes dead letters of failures', async () => {
    const other = await startDestination({ answer: (_, index) => (index === 0 ? 200 : 500) });
    const file = join(folder, 'destinations.yaml');
    await writeFile(file, yaml.replace(/https:\S+/, other.url));
    const program = await start({ ADAPTERS: './chat.mjs', DESTINATIONS_FILE: file });
    try {
      expect(await readDestination(worker.store, 'team')).toMatchObject({ type: 'chat', config: { timeoutMs: 5_000 } });
      await worker.commit(sampleCallback('moText', { content: 'hello' }));
      const [first] = await other.waitFor(1);
      expect(JSON.parse(first?.body ?? '').text).toMatch(/^\d+: hello$/);
      await worker.commit(sampleCallback('moText'));
      await other.waitFor(3);
      await waitUntil(async () => (await listDeadLetters(worker.store, { limit: 10 })).items.length === 1);
    } finally {
      await program.stop();
      await other.close();
    }
  });

  it.each([
    ['./nothing.mjs', 'ADAPTERS: ./nothing.mjs is no adapter: it cannot be loaded'],
    ['./mine.mjs', 'ADAPTERS: ./mine.mjs is no adapter: the type webhook is one of Clickrelay'],
  ])('does not start with %s, and says why', async (module, message) => {
    await writeFile(join(folder, 'mine.mjs'), code.replace("'chat'", "'webhook'"));
    const error = await start({ ADAPTERS: module }).then(
      () => new Error('it started'),
      (refused: Error) => refused,
    );
    expect(error.message).toContain(message);
  });

  it('refuses invalid settings, and names the field', async () => {
    const file = join(folder, 'destinations.yaml');
    await writeFile(file, yaml.replace(/https:\S+/, 'nowhere'));
    const error = await start({ ADAPTERS: './chat.mjs', DESTINATIONS_FILE: file }).catch((refused: Error) => refused);
    expect((error as Error).message).toMatch(/destinations\[0\]\.url/);
  });
});
