import { setTimeout as sleep } from 'node:timers/promises';
import { destinationQueue } from '@clickrelay/queue';
import { beginSlotMove, type RedisServer, redisCommand, type SlotMove, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { addressOf, KEYS_AT_ONCE, type MovingCluster, nodeId, startMovingCluster } from '../moving-cluster.ts';
import { type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// A Redis Cluster grows and shrinks: its slots move from master to master while callbacks come.

/** Of events that are in the log before the first slot moves: 10,000 in the long round. */
const BEFORE = { long: 10_000, short: 1_000 };
const EVENTS_PER_CALLBACK = 20;
const LOAD = { connections: 64, perSecond: 300 };
/** All is delivered this long after the last slot has moved. */
const PATIENCE_MS = 60_000;

interface Moving {
  readonly run: Run;
  readonly cluster: MovingCluster;
  readonly rig: Rig;
}

interface Move {
  readonly id: string;
  readonly fault: string;
  /** How often a destination may accept an event: twice only where a process or a master dies. */
  readonly most: 1 | 2;
  move(moving: Moving): Promise<void>;
}

const movingRow = ({ id, fault, most, move }: Move): Row => ({
  id,
  fault,
  timeoutMs: 900_000,
  shortIn: 'packages/queue/src/redis/moving-slot.test.ts',
  run: async (run) => {
    const cluster = await startMovingCluster(run);
    const [primary] = cluster.masters as [RedisServer];
    const rig = await startRig(run, {
      servers: { url: cluster.url, primary },
      spool: true,
      destinations: [{ id: 'crm' }, { id: 'billing', events: ['messageStatusUpdate'] }, { id: 'archive' }],
    });
    const before = run.isLong ? BEFORE.long : BEFORE.short;
    const filling = {
      events: EVENTS_PER_CALLBACK,
      most: before / EVENTS_PER_CALLBACK,
      signal: new AbortController().signal,
    };
    await rig.clickatell.load(filling);
    await waitUntil(() => rig.destination.accepted().size >= rig.ledger.acknowledged.size, {
      timeoutMs: 120_000,
      what: 'the events before',
    });
    const stop = new AbortController();
    const startedAt = performance.now();
    const load = rig.clickatell.load({ ...LOAD, signal: stop.signal });
    const beforeMove = rig.ledger.acknowledged.size;
    try {
      await move({ run, cluster, rig });
      await cluster.mend();
    } finally {
      const seconds = (performance.now() - startedAt) / 1_000;
      const sent = rig.ledger.acknowledged.size - beforeMove;
      run.remark(`${sent} callbacks in ${seconds.toFixed(0)} s, ${(sent / seconds).toFixed(0)} a second`);
      stop.abort();
      await load;
    }
    const endedAt = performance.now();
    await account(run, rig, { patienceMs: PATIENCE_MS }).finally(async () => {
      if (run.result.failures.length > 0) for (const state of await cluster.states()) run.step(state);
    });
    run.remark(`all delivered ${((performance.now() - endedAt) / 1_000).toFixed(1)} s after the end`);
    for (const { id, accepted } of rig.destinations) {
      const tooOften = [...accepted().values()].filter((times) => times > most).length;
      run.check(tooOften === 0, `${tooOften} events were delivered more than ${most} times to ${id}`);
    }
    await checkKeys(run, rig);
  },
});

/** No key stands on two masters. */
const checkKeys = async (run: Run, rig: Rig): Promise<void> => {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const server of rig.store.servers()) {
    for (const key of await server.keys('*')) {
      if (seen.has(key)) twice.add(key);
      seen.add(key);
    }
  }
  run.check(twice.size === 0, `${twice.size} keys on two masters: ${[...twice].slice(0, 3).join(', ')}`);
};

const growAndShrink = async ({ run, cluster }: Moving): Promise<void> => {
  const [master, replica] = await cluster.grow();
  const id = await nodeId(master);
  const [first] = cluster.masters as [RedisServer];
  await cluster.cli('rebalance', addressOf(first), '--cluster-use-empty-masters', ...KEYS_AT_ONCE);
  run.step('rebalanced onto the fourth master');
  await sleep(2_000);
  await cluster.cli('rebalance', addressOf(first), '--cluster-weight', `${id}=0`, ...KEYS_AT_ONCE);
  run.step('emptied it');
  await cluster.cli('del-node', addressOf(first), await nodeId(replica));
  await cluster.cli('del-node', addressOf(first), id);
};

const killParts = async ({ run, cluster, rig }: Moving): Promise<void> => {
  const [one, other] = cluster.masters as [RedisServer, RedisServer];
  const killDuring = async (part: 'receiver' | 'worker', from: RedisServer, to: RedisServer): Promise<void> => {
    const moved = cluster.reshard(from, to, 3_000);
    moved.catch(() => {});
    await sleep(run.random.whole(1_000, 2_500));
    await rig[part].kill();
    run.step(`killed the ${part}`);
    await rig[part].start();
    await moved;
  };
  await killDuring('receiver', one, other);
  await killDuring('worker', other, one);
};

const OPEN_MS = 60_000;

/** Leaves three slots open: of a shard of the log, of an ingest queue, and of a destination's queue. */
const leaveOpen = async ({ run, cluster, rig }: Moving): Promise<void> => {
  const closed = await rateFor(rig, 10_000);
  const moves: SlotMove[] = [];
  const shard = String(run.random.whole(0, 63)).padStart(2, '0');
  const tags = [`cr:{e${shard}}`, 'cr:{m03}', destinationQueue('archive').prefix];
  for (const tag of tags) {
    const [, slot = ''] = /:(\d+)/.exec(await redisCommand(rig.redis.port, 'CLUSTER', 'KEYSLOT', tag)) ?? [];
    const move = await beginSlotMove(cluster, Number(slot));
    await move.moveKeys(20);
    moves.push(move);
  }
  run.step(`left open: the slots of ${tags.join(', ')}`);
  const open = await rateFor(rig, OPEN_MS);
  run.remark(`${closed.toFixed(0)} deliveries a second before, ${open.toFixed(0)} while three slots were open`);
  run.check(open >= closed / 2, `deliveries fell from ${closed.toFixed(0)} to ${open.toFixed(0)} a second`);
  for (const move of moves) await move.end();
};

/** Deliveries a second to `crm`. */
const rateFor = async ({ destination }: Rig, ms: number): Promise<number> => {
  const [before, since] = [destination.accepted().size, performance.now()];
  await sleep(ms);
  return ((destination.accepted().size - before) * 1_000) / (performance.now() - since);
};

const MOVES: readonly Move[] = [
  {
    id: 'SLOTS-G',
    fault: 'a fourth master added to a Cluster, slots rebalanced onto it; emptied and removed',
    most: 1,
    move: growAndShrink,
  },
  { id: 'SLOTS-P', fault: 'receiver, then worker, killed while slots move', most: 2, move: killParts },
  {
    id: 'SLOTS-O',
    fault: 'three slots left open for 60 s: of the log, of an ingest queue, of a destination',
    most: 1,
    move: leaveOpen,
  },
];

export const movingSlots: readonly Row[] = MOVES.map(movingRow);
