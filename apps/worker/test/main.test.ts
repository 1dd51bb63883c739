import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import { PERSON_KEY, startProgram } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const relay = useWorker();

it.each([
  ['a signal', 'SIGTERM'],
  ['the end of `clickrelay start`', 'disconnect'],
])('ends within 25 s of %s in the middle of a delivery, although Redis is away', async (_, order) => {
  const destination = await relay.addDestination('slow', 'hang');
  const worker = await startProgram({
    args: [main],
    env: { PERSON_KEY, REDIS_URL: relay.redis.url, EGRESS_ALLOW: '127.0.0.0/8' },
    ipc: true,
    readyOutput: /worker\.ready/,
  });
  await relay.commit(sampleCallback('moText'));
  await expect.poll(() => destination.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await relay.redis.kill();
  await worker.waitForOutput(/redis\.away/);
  const startedAt = performance.now();
  if (order === 'disconnect') worker.disconnect();
  const ended = order === 'disconnect' ? worker.exited : worker.stop('SIGTERM', 60_000);
  // 0 when it could end in order all the same.
  expect(await ended).toEqual({ code: expect.any(Number), signal: null });
  expect(performance.now() - startedAt).toBeLessThan(25_000);
  await relay.redis.restart();
});

it('ends with the `clickrelay start` that started it, even while it still waits for Redis', async () => {
  const worker = await startProgram({
    args: [main],
    env: { PERSON_KEY, REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
    ipc: true,
    readyOutput: /redis\.away/,
  });
  const startedAt = performance.now();
  worker.disconnect();
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
