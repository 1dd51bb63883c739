import { setTimeout as sleep } from 'node:timers/promises';
import { putDestination, removeDestination } from '@clickrelay/queue';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import type { CheckingDestination } from '../destination.ts';
import { newCallback } from '../ledger.ts';
import { countOpen, type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// Redis and Clickrelay are well, but the destinations are not.

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Measures the time from sending to arrival, in ms, at a rate of events for a while. */
const measureDelays = async (
  run: Run,
  rig: Rig,
  to: CheckingDestination,
  { perSecond, ms, atLeast = 0 }: { perSecond: number; ms: number; atLeast?: number },
): Promise<number[]> => {
  const sentAt = new Map<string, number>();
  const posting: Promise<unknown>[] = [];
  for (const end = Date.now() + ms; Date.now() < end || sentAt.size < atLeast; ) {
    const callback = newCallback(run.random);
    for (const { id } of callback.sentEvents) sentAt.set(id, fairNow());
    posting.push(rig.clickatell.postUntilAccepted(callback));
    await sleep(1_000 / perSecond);
  }
  await Promise.all(posting);
  await waitUntil(() => [...sentAt.keys()].every((id) => to.arrivalsOf(id).length > 0), {
    timeoutMs: 120_000,
    what: 'every event at the healthy destination',
  });
  return [...sentAt].map(([id, at]) => (to.arrivalsOf(id)[0]?.fairAt as number) - at);
};

/**
 * Smaller differences are noise of the machine. The short round runs beside other tests, so it only checks that the
 * healthy destination does not wait for the other's deadline.
 */
const noiseMs = ({ isLong }: Run): number => (isLong ? 40 : 3_000);
/** The time limit of an attempt at the hanging destination: waiting for it takes longer than any noise. */
const DEADLINE_MS = 10_000;

const oneHangs: Row = {
  id: 'G22',
  fault: 'one destination hangs, another is well',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, {
      destinations: [{ id: 'well' }, { id: 'hangs', config: { timeoutMs: DEADLINE_MS } }],
    });
    const [well, hangs] = rig.destinations as [CheckingDestination, CheckingDestination];
    // More events than the worker has slots and waiting places for the hanging destination.
    const load = { perSecond: 100, ms: run.isLong ? 5_000 : 2_500, atLeast: 300 };
    await measureDelays(run, rig, well, { ...load, ms: 1_000, atLeast: 0 });
    const p99s: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] };
    // Take turns, so that other load on the machine affects both.
    for (let round = 0; round < (run.isLong ? 3 : 1); round++) {
      for (const phase of ['alone', 'beside'] as const) {
        hangs.behave(phase === 'alone' ? { status: 200 } : 'hang');
        if (phase === 'beside') await sleep(500);
        // Events that waited for it in the round before must not count here.
        else
          await waitUntil(async () => (await countOpen(rig.store)) === 0, {
            timeoutMs: 60_000,
            what: 'an idle worker',
          });
        p99s[phase].push(percentile(await measureDelays(run, rig, well, load), 0.99));
      }
    }
    const [alone, beside] = [median(p99s.alone), median(p99s.beside)];
    run.remark(`p99 of the healthy one ${alone.toFixed(0)} ms alone, ${beside.toFixed(0)} ms beside one that hangs`);
    run.check(beside <= 2 * alone + noiseMs(run), `p99 was ${alone} ms alone and ${beside} ms beside one that hangs`);
    hangs.behave({ status: 200 });
    await account(run, rig);
  },
};

const loops = (depth: number): string =>
  depth === 0 ? 'true' : `[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0].all(a, ${loops(depth - 1)})`;
const doubles = (times: number): string => (times === 0 ? '[event.raw]' : `[${doubles(times - 1)}].map(a, a + a)[0]`);
/** The API refuses them: here they are stored, as by an earlier version. */
const DEAR_FILTERS = [loops(7), `size(${doubles(30)}) > 0`, `event.id.matches('(a{1,500}){1,500}$')`];

const dearFilters: Row = {
  id: 'G29',
  fault: 'filters that never end, and that take all memory',
  shortIn: 'apps/worker/test/filters.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, { destinations: [{ id: 'well' }] });
    const [well] = rig.destinations as [CheckingDestination];
    const load = { perSecond: 100, ms: run.isLong ? 5_000 : 2_500, atLeast: 200 };
    await measureDelays(run, rig, well, { ...load, ms: 1_000, atLeast: 0 });
    const alone = percentile(await measureDelays(run, rig, well, load), 0.99);
    for (const [index, filter] of DEAR_FILTERS.entries()) {
      const id = `dear-${index}`;
      await putDestination(rig.store, { id, type: 'pull', events: ['*'], filter, paused: null, config: {} });
    }
    await sleep(500);
    const beside = percentile(await measureDelays(run, rig, well, load), 0.99);
    run.remark(`p99 ${alone.toFixed(0)} ms alone, ${beside.toFixed(0)} ms beside ${DEAR_FILTERS.length} dear filters`);
    run.check(beside <= 2 * alone + noiseMs(run), `p99 was ${alone} ms alone and ${beside} ms beside dear filters`);
    for (const index of DEAR_FILTERS.keys()) await removeDestination(rig.store, `dear-${index}`);
    await account(run, rig);
  },
};

const RATE = 40;
const RETRY_AFTER_S = 5;
/** How many connections a worker opens to one destination unless told otherwise. */
const CONCURRENCY = 32;

const allAreDown: Row = {
  id: 'G23',
  fault: 'every destination answers 503 for a while, then all are up',
  shortIn: 'apps/worker/test/pacing.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, {
      destinations: [{ id: 'plain' }, { id: 'rated', config: { rate: `${RATE}/s` } }, { id: 'asks' }],
    });
    const [plain, rated, asks] = rig.destinations as [CheckingDestination, CheckingDestination, CheckingDestination];
    const down = { status: 503, delayMs: 10 };
    plain.behave(down);
    rated.behave(down);
    asks.behave({ ...down, headers: { 'retry-after': String(RETRY_AFTER_S) } });
    const events = run.isLong ? 600 : 200;
    for (let sent = 0; sent < events; sent += 20) {
      await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 20 }));
    }
    const downMs = run.isLong ? 20_000 : 6_000;
    const sleepsFrom = performance.now();
    await sleep(downMs);
    const during = plain.arrivals.length;
    // Twenty failures open the breaker; add those under way then, and one probe after each pause, here at most 500 ms.
    const most = 20 + CONCURRENCY + Math.ceil((performance.now() - sleepsFrom) / 200);
    run.step(`${during} attempts at ${events} deliveries while it was down`);
    run.check(
      during <= most,
      `${during} attempts reached a destination that was down for ${downMs} ms, more than ${most}`,
    );

    const first = asks.arrivals[0]?.at ?? 0;
    // Requests under way at the first 410 cannot be called back: as many as there are connections.
    const early = asks.arrivals.filter(({ at }) => at < first + RETRY_AFTER_S * 1_000 - 100).length;
    run.check(early <= CONCURRENCY, `${early} attempts came before the time that was asked for`);

    const upAt = Date.now();
    for (const destination of rig.destinations) destination.behave({ status: 200, delayMs: 10 });
    await account(run, rig);
    for (const { id, mostAtOnce } of rig.destinations) {
      run.check(mostAtOnce() <= CONCURRENCY, `${id} got ${mostAtOnce()} requests at once, more than ${CONCURRENCY}`);
    }
    const times = rated.arrivals.map(({ at }) => at).sort((a, b) => a - b);
    const inASecond = Math.max(
      ...times.map((at, i) => times.filter((other, j) => j >= i && other < at + 1_000).length),
    );
    run.remark(`${during} attempts while down, then at most ${inASecond} a second where ${RATE} are allowed`);
    // After a pause of the machine, delayed requests arrive together with the next ones.
    if (run.isLong)
      run.check(inASecond <= RATE * 1.3, `${inASecond} attempts came within a second, where ${RATE} are allowed`);
    const after = times.filter((at) => at >= upAt);
    const leastMs = ((after.length - CONCURRENCY) / RATE) * 800;
    const tookMs = (after.at(-1) ?? upAt) - upAt;
    run.check(tookMs >= leastMs, `${after.length} attempts took ${tookMs} ms, where ${RATE} a second are allowed`);
  },
};

export const badDestinations: readonly Row[] = [oneHangs, dearFilters, allAreDown];
