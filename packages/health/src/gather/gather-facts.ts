import {
  createWantedCounts,
  LayoutMismatchError,
  listDeaths,
  listParts,
  measureQuarantine,
  openHealthRecords,
  type Part,
  readLagFacts,
  readLedgerCheck,
  readLogFacts,
  StoreLostError,
} from '@clickrelay/queue';
import type { Facts, RedisReach, SetupFacts, StoreFacts } from '../facts.ts';
import { isUnknown, type Known, type Unknown } from '../known.ts';
import { ask } from './ask.ts';
import { gatherCallbacks } from './callbacks.ts';
import { watchCertificate } from './certificate.ts';
import { createClusterGatherer } from './cluster.ts';
import { gatherRotations } from './credentials.ts';
import { gatherDestinations } from './destinations.ts';
import { gatherLanes } from './lanes.ts';
import { atPace, SLOW_MS } from './pace.ts';
import { reachRedis } from './reach.ts';
import { createServerGatherer } from './server.ts';
import type { Sources } from './sources.ts';

/** A look routes a thousand events. */
const WANTED_MS = 300_000;

/** All facts, within 3 s; nothing throws. Keep what is returned: it remembers what is not read each time. */
export const createGatherer = (sources: Sources): ((nowMs: number) => Promise<Facts>) => {
  const { store } = sources;
  const records = openHealthRecords(store);
  const certificate = watchCertificate(sources.publicUrl);
  const gatherServer = createServerGatherer(sources);
  const gatherCluster = createClusterGatherer(sources);
  const wanted = createWantedCounts(store, { everyMs: WANTED_MS });
  const rotations = atPace(SLOW_MS, (nowMs) => gatherRotations(sources, nowMs));
  const setupOf = (parts: readonly Part[]): SetupFacts => ({
    publicUrl: sources.publicUrl,
    takesAnybody: parts.some((part) => part.role === 'receiver' && part.credentials.includes('none')),
    knowsCredential: sources.knowsCredential(),
    certificateEndsAt: certificate(),
  });

  return async (nowMs) => {
    const redis = await reachRedis(store, records);
    const channels = sources.channels();
    if (redis.state === 'away') return allFromRedis({ unknown: redis.cause }, redis, setupOf([]), channels);

    const [
      found,
      server,
      parts,
      deaths,
      callbacks,
      lanes,
      lag,
      destinations,
      ledger,
      quarantine,
      log,
      credentials,
      cluster,
    ] = await Promise.all([
      gatherStore(sources),
      gatherServer(nowMs),
      ask(sources, () => listParts(store)),
      ask(sources, () => listDeaths(store)),
      gatherCallbacks(sources, nowMs),
      gatherLanes(sources, nowMs),
      ask(sources, () => readLagFacts(store, nowMs)),
      gatherDestinations(sources, wanted, nowMs),
      ask(sources, async () => {
        const last = await readLedgerCheck(store);
        const { unaccounted = {}, unaccountedBefore = {} } = last ?? {};
        return { walkedAt: last === undefined ? null : Date.parse(last.checkedAt), unaccounted, unaccountedBefore };
      }),
      ask(sources, () => measureQuarantine(store)),
      ask(sources, () => readLogFacts(store, nowMs)),
      rotations(nowMs),
      gatherCluster(nowMs),
    ]);
    return {
      redis,
      store: found,
      server,
      parts,
      deaths,
      setup: setupOf(isUnknown(parts) ? [] : parts),
      callbacks,
      lanes,
      lag,
      ledger,
      quarantine,
      log,
      destinations,
      credentials,
      cluster,
      channels,
    };
  };
};

/** What the process remembers of its store, and what its last look found. */
const gatherStore = (sources: Sources): Promise<Known<StoreFacts>> =>
  ask(sources, async () => {
    const { store } = sources;
    let otherLayout: string | null = null;
    try {
      await store.ready();
    } catch (error) {
      if (error instanceof LayoutMismatchError) otherLayout = error.message;
      else if (!(error instanceof StoreLostError)) throw error;
    }
    const { expectedId, found } = store.identity;
    // A program that never looked takes the store as it is.
    const own = { expectedId, foundId: found === undefined ? expectedId : (found?.id ?? null) };
    return {
      ...((await sources.expectedStore?.()) ?? own),
      otherLayout,
      createdAt: found == null ? null : Date.parse(found.createdAt),
    };
  });

/** Of a Redis that cannot be asked. */
export const allFromRedis = (
  why: Unknown,
  redis: RedisReach,
  setup: SetupFacts,
  channels: Facts['channels'],
): Facts => ({
  redis,
  store: why,
  server: why,
  parts: why,
  deaths: why,
  setup,
  callbacks: why,
  lanes: why,
  lag: why,
  ledger: why,
  quarantine: why,
  log: why,
  destinations: why,
  credentials: why,
  cluster: why,
  channels,
});
