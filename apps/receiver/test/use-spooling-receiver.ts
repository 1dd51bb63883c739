import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { createSender, type SendResult, sampleCallback } from '@clickrelay/simulator';
import { fairNow, type Program, type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { request } from 'undici';
import { afterEach, beforeEach } from 'vitest';
import { readCommitted, startReceiverProgram } from './receiver-program.ts';

export let redis: RedisServer;
export let store: Store;
export let port: number;
export let spoolDir: string;
let receiver: Program | undefined;

/** Gives each test a Redis, and a folder for the spool of a receiver that it starts itself. */
export const useSpoolingReceiver = (): void => {
  beforeEach(async () => {
    redis = await startRedis();
    store = await openStore({ redisUrl: redis.url, role: 'consumer' });
    await store.ready();
    port = await freePort();
    spoolDir = mkdtempSync(join(tmpdir(), 'clickrelay-spool-'));
  });
  afterEach(async () => {
    await redis.kill('SIGCONT');
    await stopReceiver();
    await store.close();
    await redis.stop();
    rmSync(spoolDir, { recursive: true, force: true });
  });
};

export const stopReceiver = async (): Promise<void> => {
  await receiver?.stop();
  receiver = undefined;
};

interface StartOptions {
  readonly withSpool?: boolean;
  readonly until?: 'readyz' | 'healthz';
  readonly environment?: Record<string, string>;
}

export const start = async ({
  withSpool = true,
  until = 'readyz',
  environment = {},
}: StartOptions = {}): Promise<Program> => {
  receiver = await startReceiverProgram({
    redisUrl: redis.url,
    port,
    until,
    environment: { CALLBACK_AUTH: 'none', ...(withSpool && { SPOOL_DIR: spoolDir }), ...environment },
  });
  return receiver;
};

interface ReadyAnswer {
  ready: boolean;
  durability: string;
  problems: { setting: string; value: string }[];
  spool?: { records: number; bytes: number; oldestAt: string | null; setAside: number; refusing: string | null };
}

export const readyz = async (): Promise<{ status: number; body: ReadyAnswer; ms: number }> => {
  const startedAt = fairNow();
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/readyz`);
  return { status: statusCode, body: (await body.json()) as ReadyAnswer, ms: fairNow() - startedAt };
};

export const send = async (
  body: string,
): Promise<{ status: number; retryAfter: unknown; answer: Record<string, unknown>; ms: number }> => {
  const startedAt = fairNow();
  const response = await request(`http://127.0.0.1:${port}/client-callback/one-api-reply`, { method: 'POST', body });
  const answer = (await response.body.json()) as Record<string, unknown>;
  const ms = fairNow() - startedAt;
  return { status: response.statusCode, retryAfter: response.headers['retry-after'], answer, ms };
};

export const fresh = (): string => JSON.stringify(sampleCallback('moText'));

export const committed = (): Promise<string[]> => readCommitted(store);

export const drained = (): Promise<boolean> =>
  waitUntil(async () => (await readyz()).body.spool?.records === 0, { timeoutMs: 60_000 });

export interface Answered extends SendResult {
  readonly text: string;
  /** By `fairNow`, like `ms`. */
  readonly at: number;
}

/** Sixteen senders that never rest and never send anything twice, until told to stop. */
export const startLoad = (connections = 16) => {
  const sender = createSender({ url: `http://127.0.0.1:${port}`, tries: 1 });
  const stopping = new AbortController();
  const answers: Answered[] = [];
  const sentAt = new Map<string, number>();
  function* callbacks() {
    while (!stopping.signal.aborted) {
      const text = fresh();
      sentAt.set(text, fairNow());
      yield text;
    }
  }
  const sending = sender.sendMany(callbacks(), {
    connections,
    ratePerSecond: 1_000,
    onResult: (result, envelope) => {
      const [text, at] = [envelope as string, fairNow()];
      answers.push({ ...result, ms: at - (sentAt.get(text) as number), text, at });
    },
  });
  return {
    answers,
    stop: async () => {
      stopping.abort();
      await sending;
      await sender.close();
    },
  };
};

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
