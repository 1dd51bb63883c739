import { createHash } from 'node:crypto';
import { type Lane, SHARDS, shardOf } from '@clickrelay/core';
import { parseMessageAddress } from './message-address.ts';

/*
 * Every key begins with a Redis Cluster hash tag out of a fixed set, so that what must change in one atomic step
 * lives on one node and everything else is spread:
 *
 *   cr:{m00} … cr:{m15}   ingest queue of the lane `messages`
 *   cr:{s00} … cr:{s15}   ingest queue of the lane `statuses`
 *   cr:{e00} … cr:{e63}   events: dedupe record, log entry, deliveries; by conversation, which the event id carries;
 *                         and the index from messages to events, by hash of the message's id;
 *                         and what became of those that a replay of many sent again
 *   cr:{d00} … cr:{d63}   destinations: one queue each; by hash of the destination id
 *   cr:{quarantine}       callbacks that could not be used
 *   cr:{registry}         destinations, layout
 */

/** Queues of each lane on a Cluster: 2 to 4 on each of six servers. A single Redis uses the first only. */
export const INGEST_SHARDS = 16;

/** The version and numbers below are part of the data: a store with others is refused (`openStore`). */
export const LAYOUT = { version: 1, shards: SHARDS } as const;

export const LANES: readonly Lane[] = ['messages', 'statuses'];

/** What BullMQ needs to find a queue. */
export interface QueueName {
  readonly prefix: string;
  readonly name: string;
}

const twoDigits = (n: number): string => String(n).padStart(2, '0');

/** @param shard On a single Redis always 0, so that callbacks share as few writes as possible. */
export const ingestQueue = (lane: Lane, shard = 0): QueueName => ({
  prefix: `cr:{${lane === 'messages' ? 'm' : 's'}${twoDigits(shard)}}`,
  name: 'ingest',
});

export const destinationQueue = (destinationId: string): QueueName => {
  const hash = createHash('sha256').update(destinationId).digest();
  return { prefix: `cr:{d${twoDigits((hash[0] ?? 0) % SHARDS)}}`, name: destinationId };
};

/** How its attempts went, by hour: prefix of a time series. */
export const hoursPrefix = (queue: QueueName): string => `${queueKey(queue)}:hours`;
/** Deliveries of one pair of parties that are under way, for a destination that wants them in order. */
export const conversationKey = (queue: QueueName, conversation: string): string =>
  `${queueKey(queue)}:order:${conversation}`;
export const queueKey = (queue: QueueName): string => `${queue.prefix}:${queue.name}`;

/**
 * The name under which the events of an ingest group are logged: what a repetition of the group is told by. The hash tag
 * of its queue, then the id of its job.
 */
export const claimOf = ({ prefix }: QueueName, jobId: string): string => prefix.slice('cr:{'.length, -1) + jobId;

/** The lane of the group that a claim names. */
export const laneOfClaim = (claim: string): Lane => (claim.startsWith('s') ? 'statuses' : 'messages');

const shardPrefix = (shard: number): string => `cr:{e${twoDigits(shard)}}`;

/** Everything about one event. */
export const eventKeys = (eventId: string) => {
  const prefix = shardPrefix(shardOf(eventId));
  const record = `${prefix}:${eventId}`;
  /** Of each claim by which it came again, when, in microseconds, and how often. */
  return { prefix, record, deliveries: `${record}:d`, repeats: `${record}:r` };
};

/** Everything that the events of one shard share. */
export const shardKeys = (shard: number) => {
  const prefix = shardPrefix(shard);
  return {
    prefix,
    log: `${prefix}:log`,
    bytes: `${prefix}:bytes`,
    /** Of the last event that retention removed, the time of logging: what came later is all there. */
    removedUntil: `${prefix}:removed`,
    /** Counts of what came in, by the time of logging: prefix of a time series, and of the keys that belong to it. */
    intake: `${prefix}:in`,
    /** Entries of the message index whose events were removed, until they are gone too. */
    unindex: `${prefix}:unindex`,
  };
};

/** What a replay of many has of the events of one shard. @param prefix that of the shard */
export const replayKeys = (prefix: string, replayId: string) => ({
  /** How many of its deliveries are how far. */
  counts: `${prefix}:replay:${replayId}`,
  /** Delivery ids of those that became dead letters again. */
  failed: `${prefix}:replay:${replayId}:failed`,
});

/** The hash that holds this part of the message index. @param address see message-address.ts */
export const messageIndexKey = (address: string): string => {
  const { shard, bucket } = parseMessageAddress(address);
  return `${shardPrefix(shard)}:m:${bucket}`;
};

export const QUARANTINE = 'cr:{quarantine}';
export const REGISTRY = 'cr:{registry}';
