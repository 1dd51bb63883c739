import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import {
  type Answered,
  committed,
  drained,
  readyz,
  redis,
  sleep,
  start,
  startLoad,
  useSpoolingReceiver,
} from './use-spooling-receiver.ts';

useSpoolingReceiver();

const FAULTS = {
  'SIGSTOP of Redis': { begin: () => redis.kill('SIGSTOP'), end: () => redis.kill('SIGCONT') },
  'kill -9 of Redis': { begin: () => redis.kill('SIGKILL'), end: () => redis.restart() },
};

describe('under load', () => {
  it.each([
    ['SIGSTOP of Redis', true, 2_500],
    ['SIGSTOP of Redis', false, 2_500],
    // Longer than the lifetime of a connection.
    ['SIGSTOP of Redis', true, 5_000],
    ['kill -9 of Redis', true, 2_500],
    ['kill -9 of Redis', false, 2_500],
  ] as const)('%s, with a spool: %s, for %i ms', async (name, withSpool, downMs) => {
    const fault = FAULTS[name];
    await start({ withSpool });
    const load = startLoad();
    await waitUntil(() => load.answers.length > 200);
    const faultAt = fairNow();
    await fault.begin();
    await sleep(downMs);
    // These were sent after the first callback had waited for Redis in vain.
    const sentLater = () => load.answers.filter(({ at, ms }) => at - ms > faultAt + 1_800);
    await waitUntil(() => sentLater().length > 50);
    const during = sentLater();
    await fault.end();
    const backAt = fairNow();
    // The first 2xx from Redis again: with a spool there were 2xx all the time.
    await waitUntil(async () => (await readyz()).body.durability === 'always');
    const readyMs = fairNow() - backAt;
    await waitUntil(() => load.answers.some(({ at, accepted }) => at > backAt && accepted));
    const okMs = (load.answers.find(({ at, accepted }) => at > backAt && accepted) as Answered).at - backAt;
    await sleep(500);
    await load.stop();
    if (withSpool) await drained();

    const acknowledged = load.answers.filter(({ accepted }) => accepted);
    const slowest = Math.max(...load.answers.map(({ ms }) => ms));
    console.log(
      `${name}, ${withSpool ? 'spool' : 'no spool'}, ${downMs} ms: ${load.answers.length} answers, ${acknowledged.length} acknowledged, slowest ${slowest.toFixed(0)} ms, ` +
        `2xx ${okMs.toFixed(0)} ms and Redis ${readyMs.toFixed(0)} ms after it was back`,
    );
    // No answer waits until Redis is back.
    expect(slowest).toBeLessThan(downMs === 5_000 ? 4_500 : 5_000);
    // A second is promised; a quiet machine takes about a tenth of it. Recovery takes a dozen turns of three processes,
    // so it takes many times as long on a busy machine.
    expect(okMs).toBeLessThan(10_000);
    expect(readyMs).toBeLessThan(10_000);
    // If the disk stands still for a second, even a receiver with a spool refuses a few.
    const statuses = during.map(({ status }) => status);
    expect(statuses.filter((status) => status === (withSpool ? 200 : 503)).length).toBeGreaterThan(during.length * 0.8);
    expect(load.answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    // They no longer wait for Redis.
    const waits = during.map(({ ms }) => ms).sort((a, b) => a - b);
    expect(waits[waits.length >> 1]).toBeLessThan(900);

    const stored = new Set(await committed());
    expect(acknowledged.filter(({ text }) => !stored.has(text))).toEqual([]);
    expect([...stored].filter((text) => !load.answers.some((answer) => answer.text === text))).toEqual([]);
  });
});
