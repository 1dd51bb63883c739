import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import { startProgram } from '@clickrelay/testkit';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

it('ends with the `clickrelay start` that started it, even while it still waits for Redis', async () => {
  const worker = await startProgram({
    args: [main],
    env: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
    ipc: true,
    readyOutput: /redis\.away/,
  });
  const startedAt = performance.now();
  worker.disconnect();
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
