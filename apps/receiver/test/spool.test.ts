import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { splitCallback } from '@clickrelay/core';
import { listQuarantine, readQuarantined } from '@clickrelay/queue';
import { createSender } from '@clickrelay/simulator';
import { fairNow, startRedis, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { MAIN } from './receiver-program.ts';
import {
  committed,
  drained,
  fresh,
  port,
  readyz,
  redis,
  send,
  sleep,
  spoolDir,
  start,
  startLoad,
  stopReceiver,
  store,
  useSpoolingReceiver,
} from './use-spooling-receiver.ts';

useSpoolingReceiver();

describe('a receiver with a spool', () => {
  it('starts without Redis, takes callbacks, and moves them once Redis is there', async () => {
    await redis.kill('SIGKILL');
    await start();
    const first = fresh();
    expect(await send(first)).toMatchObject({ status: 200, answer: { accepted: 1 } });
    expect(await readyz()).toMatchObject({
      status: 200,
      body: {
        ready: true,
        durability: 'spool',
        problems: [{ setting: 'connection' }],
        spool: { records: 1, bytes: expect.any(Number), oldestAt: expect.any(String), setAside: 0, refusing: null },
      },
    });
    await redis.restart();
    await waitUntil(async () => (await committed()).includes(first));
    await drained();
    expect(await readyz()).toMatchObject({
      status: 200,
      body: { durability: 'always', problems: [], spool: { records: 0 } },
    });
    await waitUntil(() => readdirSync(spoolDir).sort().join() === 'lock,store.json');
  });

  it('reports within seconds that Redis is frozen, even without any callback', async () => {
    await start();
    await redis.kill('SIGSTOP');
    const frozenAt = fairNow();
    await waitUntil(async () => (await readyz()).body.durability === 'spool');
    expect(fairNow() - frozenAt).toBeLessThan(10_000);
    expect((await send(fresh())).ms).toBeLessThan(900);
    await redis.kill('SIGCONT');
    await waitUntil(async () => (await readyz()).body.durability === 'always');
  });

  it('makes one event of a callback that was committed, spooled and sent again', async () => {
    await start();
    const text = fresh();
    await redis.kill('SIGSTOP');
    // The first is on its way to Redis when it is spooled. The second is the same, sent again.
    expect((await send(text)).status).toBe(200);
    expect((await send(text)).status).toBe(200);
    await redis.kill('SIGCONT');
    await drained();
    const copies = (await committed()).filter((one) => one === text);
    expect(copies.length).toBeGreaterThanOrEqual(2);
    const ids = copies.flatMap((one) => splitCallback(one, new Date().toISOString()).map(({ event }) => event.id));
    expect(new Set(ids).size).toBe(1);
  });

  it('quarantines a body that is not a callback while Redis is away', async () => {
    await start();
    await redis.kill('SIGKILL');
    const { status, answer } = await send('no callback');
    expect([status, answer]).toEqual([200, { accepted: 0, quarantined: expect.stringMatching(/^qrt_/) }]);
    await redis.restart();
    await drained();
    const { items } = await listQuarantine(store, { limit: 10 });
    expect(items.map(({ id }) => id)).toEqual([answer['quarantined']]);
    const kept = await readQuarantined(store, answer['quarantined'] as string);
    expect(Buffer.from(kept?.body ?? []).toString()).toBe('no callback');
  });

  it('loses nothing that it acknowledged when it is killed under load, again and again', async () => {
    const acknowledged: string[] = [];
    await redis.kill('SIGKILL');
    for (let round = 0; round < 3; round++) {
      const program = await start();
      const load = startLoad();
      await waitUntil(() => load.answers.filter(({ accepted }) => accepted).length > 150 + round * 70);
      await program.stop('SIGKILL');
      await load.stop();
      acknowledged.push(...load.answers.filter(({ accepted }) => accepted).map(({ text }) => text));
    }
    await redis.restart();
    // It is also killed while it drains.
    const program = await start({ until: 'healthz' });
    await waitUntil(async () => (await committed()).length > 0);
    await program.stop('SIGKILL');
    await start();
    await drained();
    const stored = new Set(await committed());
    expect(acknowledged.length).toBeGreaterThan(600);
    expect(acknowledged.filter((text) => !stored.has(text))).toEqual([]);
  });

  it('keeps its spool across a restart', async () => {
    await redis.kill('SIGKILL');
    const program = await start();
    const texts = [fresh(), fresh(), fresh()];
    for (const text of texts) expect((await send(text)).status).toBe(200);
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await redis.restart();
    await start();
    await drained();
    expect(await committed()).toEqual(texts);
  });

  it('answers 503 when the spool is full, and says so', async () => {
    await redis.kill('SIGKILL');
    await start({ environment: { SPOOL_MAX_BYTES: '1048576' } });
    const large = JSON.stringify({ event: { moText: [{ content: 'x'.repeat(300_000) }] } });
    expect((await send(large)).status).toBe(200);
    expect((await send(large)).status).toBe(200);
    expect((await send(large)).status).toBe(200);
    expect(await send(large)).toMatchObject({
      status: 503,
      retryAfter: '2',
      answer: { error: { code: 'queue_unavailable', message: expect.stringContaining('`SPOOL_MAX_BYTES`') } },
    });
    while ((await send(JSON.stringify({ event: { moText: [{ content: 'x'.repeat(30_000) }] } }))).status === 200);
    expect(await readyz()).toMatchObject({
      status: 503,
      body: { ready: false, problems: [{ setting: 'connection' }, { setting: 'spool' }], error: { code: 'not_ready' } },
    });
    await redis.restart();
    await drained();
    expect(await readyz()).toMatchObject({ status: 200, body: { durability: 'always' } });
  });

  it('acknowledges nothing that its full disk did not take', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', spoolDir], { stdio: 'pipe' });
    } catch {
      console.error('NOT RUN: a receiver whose disk is full needs a mount of tmpfs, which this machine does not allow');
      context.skip();
    }
    try {
      await redis.kill('SIGKILL');
      await start();
      const load = startLoad();
      await waitUntil(() => load.answers.filter(({ accepted }) => !accepted).length > 200, { timeoutMs: 60_000 });
      // It tries the disk again now and then. Until it succeeds, it reports why it refuses.
      const full = { setting: 'spool', value: `the disk under ${spoolDir} refuses it: ENOSPC` };
      await waitUntil(async () => {
        const { status, body } = await readyz();
        return status === 503 && body.problems.some((one) => one.setting === full.setting && one.value === full.value);
      });
      await load.stop();
      await redis.restart();
      await drained();
      const acknowledged = load.answers.filter(({ accepted }) => accepted);
      const stored = new Set(await committed());
      console.log(
        `full disk: ${acknowledged.length} of ${load.answers.length} acknowledged, slowest ${Math.max(...load.answers.map(({ ms }) => ms)).toFixed(0)} ms`,
      );
      expect(new Set(load.answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
      expect(acknowledged.length).toBeGreaterThan(200);
      expect(acknowledged.filter(({ text }) => !stored.has(text))).toEqual([]);
    } finally {
      await stopReceiver();
      execFileSync('umount', [spoolDir]);
    }
  });

  it('writes nothing to a Redis that came back with settings that would lose it', async () => {
    await redis.kill('SIGKILL');
    await start();
    const text = fresh();
    expect((await send(text)).status).toBe(200);
    const forgetful = await startRedis({ port: redis.port, args: ['--appendonly', 'no'] });
    try {
      await waitUntil(async () => (await readyz()).status === 503);
      const message = `appendonly is no: redis-cli -p ${redis.port} config set appendonly yes`;
      expect(await readyz()).toMatchObject({ body: { spool: { records: 1 }, error: { code: 'not_ready', message } } });
      expect(await send(fresh())).toMatchObject({ status: 503, answer: { error: { code: 'not_ready', message } } });
      await sleep(500);
      expect((await readyz()).body.spool?.records).toBe(1);
      expect(await committed()).toEqual([]);
    } finally {
      await forgetful.stop();
    }
    await redis.restart();
    await drained();
    expect(await committed()).toEqual([text]);
  });

  it('spools while Redis has no memory left, and returns to it afterwards', async () => {
    await start();
    await store.redis.config('SET', 'maxmemory', '1');
    const texts = [fresh(), fresh()];
    for (const text of texts) expect((await send(text)).status).toBe(200);
    expect((await readyz()).body).toMatchObject({ durability: 'spool', spool: { records: 2 } });
    await store.redis.config('SET', 'maxmemory', '0');
    await drained();
    expect(await committed()).toEqual(texts);
  });

  it('does not let the draining delay live callbacks', async () => {
    await redis.kill('SIGKILL');
    await start();
    const sender = createSender({ url: `http://127.0.0.1:${port}` });
    const spooled: string[] = [];
    function* callbacks() {
      for (let i = 0; i < 10_000; i++) {
        spooled.push(fresh());
        yield spooled.at(-1) as string;
      }
    }
    const report = await sender.sendMany(callbacks(), { connections: 64 });
    expect(report.statuses).toEqual({ 200: 10_000 });
    await redis.restart();
    await waitUntil(async () => (await readyz()).body.durability === 'always');
    const times: number[] = [];
    const drainingAt = fairNow();
    let left = 10_000;
    while (left > 0) {
      const { status, ms } = await send(fresh());
      expect(status).toBe(200);
      times.push(ms);
      await sleep(5);
      if (times.length % 10 === 0) left = (await readyz()).body.spool?.records ?? 0;
    }
    const drainMs = fairNow() - drainingAt;
    await sender.close();
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] as number;
    const median = times[times.length >> 1] as number;
    console.log(
      `drained 10000 in ${drainMs.toFixed(0)} ms beside ${times.length} live ones: p50 ${median.toFixed(1)}, p99 ${p99.toFixed(1)} ms`,
    );
    // Many are answered meanwhile, rather than at the end.
    expect(times.length).toBeGreaterThan(10);
    expect(median).toBeLessThan(drainMs / 10);
    const stored = new Set(await committed());
    expect(spooled.filter((text) => !stored.has(text))).toEqual([]);
  });

  it('does not start if it cannot use its folder', async () => {
    const started = start({ environment: { SPOOL_DIR: MAIN } });
    await expect(started).rejects.toThrow(`SPOOL_DIR ${MAIN} cannot be used`);
  });
});
