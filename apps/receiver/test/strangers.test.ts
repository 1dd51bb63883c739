import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createSender, sampleCallback } from '@clickrelay/simulator';
import { fairNow, type Program, type RedisServer, startProgram, startRedis, waitUntil } from '@clickrelay/testkit';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AttackCounts } from './attack-process.ts';
import { startReceiverProgram } from './receiver-program.ts';

const attack = new URL('./attack-process.ts', import.meta.url).pathname;
const MIB = 1024 * 1024;

let redis: RedisServer;
let receiver: Program;
let port: number;

beforeAll(async () => {
  redis = await startRedis();
  const started = await startReceiverProgram({ redisUrl: redis.url });
  ({ port } = started);
  receiver = started;
});
afterAll(async () => {
  await receiver?.stop();
  await redis?.stop();
});

/** The memory that the receiver's process holds, in bytes, as the operating system counts it. */
const residentBytes = async (): Promise<number> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(receiver.pid)]);
  return Number(stdout) * 1024;
};

/**
 * Warms the process up first, because it takes memory of its own as it works: V8 gives its young generation about 40 MB
 * within the first ten thousand callbacks.
 */
const workHard = async (callbackCount: number): Promise<void> => {
  const sender = createSender({ url: `http://127.0.0.1:${port}/client-callback/one-api-reply?token=s3cret`, tries: 1 });
  function* callbacks() {
    for (let index = 0; index < callbackCount; index++) yield JSON.stringify(sampleCallback('moText'));
  }
  const report = await sender.sendMany(callbacks(), { connections: 64 });
  await sender.close();
  expect(Object.keys(report.statuses)).toEqual(['200']);
};

/** Sends for at least `forMs`, and until `isOver`. @returns how long each took, in ms of `fairNow`, sorted */
const sendHonestly = async (forMs: number, isOver = () => true): Promise<number[]> => {
  const client = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const times: number[] = [];
  const end = performance.now() + forMs;
  while (performance.now() < end || !isOver()) {
    const startedAt = fairNow();
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: '/client-callback/one-api-reply?token=s3cret',
      body: JSON.stringify(sampleCallback('moText')),
    });
    expect([statusCode, await body.json()]).toEqual([200, { accepted: 1 }]);
    times.push(fairNow() - startedAt);
    await sleep(10);
  }
  await client.close();
  return times.sort((a, b) => a - b);
};

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] as number;

it('500 hostile sockets take less memory than one of their bodies, and honest callbacks do not wait', async () => {
  await workHard(20_000);
  const alone = p99(await sendHonestly(1_000));
  const before = await residentBytes();
  let peak = before;
  let sampling = true;
  const sampler = (async () => {
    while (sampling) {
      peak = Math.max(peak, await residentBytes());
      await sleep(100);
    }
  })();

  const attacker = await startProgram({ args: [attack, String(port), 's3cret'], ipc: true });
  const counts = () => attacker.messages.at(-1) as AttackCounts | undefined;
  // All the time, some are cut off and opened again.
  await waitUntil(() => (counts()?.slowOpen ?? 0) > 450, { timeoutMs: 60_000 });
  const refused = (done = counts()) => [
    done?.slowCut,
    done?.largeRefused,
    done?.bombsRefused,
    done?.strangersBombsRefused,
  ];
  const from = performance.now();
  const times = await sendHonestly(
    8_000,
    () => refused().every((count) => (count ?? 0) > 8) || performance.now() - from > 60_000,
  );
  const done = counts();
  await attacker.stop('SIGKILL');
  sampling = false;
  await sampler;

  const grown = (peak - before) / MIB;
  const figures = `${Math.round(before / MIB)} MiB before, ${grown.toFixed(1)} more at most; ${times.length} honest callbacks, p99 ${p99(times).toFixed(0)} ms, ${alone.toFixed(0)} ms alone`;
  console.info(`strangers.test.ts: ${figures}; ${JSON.stringify(done)}`);
  // The attack took place, and all of it was refused.
  expect(done).toMatchObject({ other: 0 });
  for (const count of refused(done)) expect(count).toBeGreaterThan(8);
  expect(grown).toBeLessThan(80);
  expect(p99(times)).toBeLessThan(Math.max(250, 10 * alone));
});
