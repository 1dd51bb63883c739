import { HOUR_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import type { ApiPart, CommonFacts, Part, PartRole, ReceiverPart, WorkerPart } from './part.ts';

/*
 * The processes that work with this Redis, each as it published itself last. One that ends takes itself out. One that is
 * silent for too long is forgotten by whoever looks next, and counts as a death; if it only could not reach Redis, it
 * takes that back when it publishes again. Times are of the clock of Redis: it does not matter what those of the machines
 * say.
 */

const PARTS = `${REGISTRY}:parts`;
/** Who died, and when. */
const DEATHS = `${REGISTRY}:deaths`;

/** How often a part publishes, in ms. */
export const PART_TELLS_MS = 5_000;
/** Two publications may be lost or late. */
const GONE_MS = 16_000;

/* KEYS: parts, deaths. ARGV: the time, since when deaths are kept, then process, text and member of each part. */
const FORGET: Script = {
  name: 'forgetParts',
  lua: `
for i = 3, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i + 2])
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])`,
};

/** One life of a process. */
const lifeOf = (process: string, { role, hostName, startedAt }: CommonFacts): string =>
  JSON.stringify([role, hostName, process, startedAt]);

/**
 * Also into a store that is not ours: whoever looks there learns which store the part works with.
 * @param process `host:pid`
 * @param atMs by the clock of Redis
 */
export const publishPart = async (
  { redis }: Store,
  process: string,
  facts: ReceiverPart | WorkerPart | ApiPart,
  atMs: number,
): Promise<void> => {
  const part = { ...facts, process, at: new Date(atMs).toISOString() };
  const isNew = await redis.hset(PARTS, process, JSON.stringify(part));
  if (isNew === 1) await redis.zrem(DEATHS, lifeOf(process, facts));
};

/** It ends in an orderly way. */
export const removePart = async ({ redis }: Store, process: string): Promise<void> => {
  await redis.hdel(PARTS, process);
};

/** The time of Redis, in ms. */
export const timeOf = async (store: Store): Promise<number> => {
  const [seconds, microseconds] = await store.connectionOf(PARTS).time();
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
};

/** The parts that published lately. Forgets the others, which counts their deaths. */
export const listParts = async (store: Store): Promise<Part[]> => {
  const [texts, nowMs] = await Promise.all([store.redis.hgetall(PARTS), timeOf(store)]);
  const all = Object.values(texts).map((text) => ({ text, part: JSON.parse(text) as Part }));
  const gone = all.filter(({ part }) => nowMs - Date.parse(part.at) > GONE_MS);
  if (gone.length > 0) {
    const dead = gone.flatMap(({ text, part }) => [part.process, text, lifeOf(part.process, part)]);
    await runScript(store.redis, FORGET, [PARTS, DEATHS], [Math.floor(nowMs), Math.floor(nowMs - HOUR_MS), ...dead]);
  }
  const living = all.filter((one) => !gone.includes(one)).map(({ part }) => part);
  return living.sort((a, b) => (a.process < b.process ? -1 : 1));
};

/** A receiver that published lately. */
export type Receiver = Extract<Part, { role: 'receiver' }>;

export const listReceivers = async (store: Store): Promise<Receiver[]> =>
  (await listParts(store)).filter((part) => part.role === 'receiver');

export interface Deaths {
  readonly role: PartRole;
  readonly hostName: string;
  readonly count: number;
}

/** How often parts died, not in an orderly way, in the last hour, by role and machine. */
export const listDeaths = async (store: Store): Promise<Deaths[]> => {
  const since = Math.floor((await timeOf(store)) - HOUR_MS);
  const lives = (await store.redis.zrangebyscore(DEATHS, since, '+inf')).map((life) => JSON.parse(life) as string[]);
  const byMachine = Map.groupBy(lives, ([role, hostName]) => `${role} ${hostName}`);
  return [...byMachine.values()].map((list) => {
    const [[role, hostName]] = list as [[PartRole, string]];
    return { role, hostName, count: list.length };
  });
};
