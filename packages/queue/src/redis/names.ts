import { createHash } from 'node:crypto';
import { type Lane, SHARDS, shardOf } from '@clickrelay/core';
import { parseMessageAddress } from './message-address.ts';

/*
 * Every key begins with one of a fixed set of Redis Cluster hash tags: keys that change in one atomic step share a tag,
 * and so a node; everything else is spread over the nodes.
 *
 *   cr:{m00} … cr:{m15}   ingest queue of the lane `messages`
 *   cr:{s00} … cr:{s15}   ingest queue of the lane `statuses`
 *   cr:{e00} … cr:{e63}   events: dedupe record, log entry, deliveries; by conversation, which the event id carries;
 *                         also the index from messages to events, by hash of the message's id,
 *                         the outcomes of deliveries that a replay of many sent again,
 *                         and work that is done once, by hash of its key
 *   cr:{d00} … cr:{d63}   destinations: one queue each; by hash of the destination id
 *   cr:{quarantine}       callbacks that could not be used
 *   cr:{registry}         destinations, layout
 */

/** Queues of each lane on a Cluster: 2 to 4 on each of six servers. A single Redis uses the first only. */
export const INGEST_SHARDS = 16;

/** Both are properties of the stored data: `openStore` refuses data with another layout. */
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

/** Prefix of the time series of a destination's attempts, by hour. */
export const hoursPrefix = (queue: QueueName): string => `${queueKey(queue)}:hours`;
/** The deliveries of one conversation that are under way, for a destination that wants them in order. */
export const conversationKey = (queue: QueueName, conversation: string): string =>
  `${queueKey(queue)}:order:${conversation}`;
export const queueKey = (queue: QueueName): string => `${queue.prefix}:${queue.name}`;

/**
 * The name under which the events of an ingest group are logged, the same when the group runs again: the hash tag of
 * its queue, then the id of its job.
 */
export const claimOf = ({ prefix }: QueueName, jobId: string): string => prefix.slice('cr:{'.length, -1) + jobId;

/** The lane of the group that a claim names. */
export const laneOfClaim = (claim: string): Lane => (claim.startsWith('s') ? 'statuses' : 'messages');

const shardPrefix = (shard: number): string => `cr:{e${twoDigits(shard)}}`;

/** The keys of one event. */
export const eventKeys = (eventId: string) => {
  const prefix = shardPrefix(shardOf(eventId));
  const record = `${prefix}:${eventId}`;
  return {
    prefix,
    record,
    deliveries: `${record}:d`,
    /** For each claim that brought the event again, the time in microseconds and how often. */
    repeats: `${record}:r`,
    /** Prefix of the hashes with its dedupe record. One letter chooses among 64 of them: see log/find-seen.part.lua. */
    seen: `${prefix}:seen:${eventId.charAt('evt_'.length + 1)}:`,
  };
};

/** The keys that the events of one shard share. */
export const shardKeys = (shard: number) => {
  const prefix = shardPrefix(shard);
  return {
    prefix,
    log: `${prefix}:log`,
    bytes: `${prefix}:bytes`,
    /** When the last event that retention removed was logged: all later events are still there. */
    removedUntil: `${prefix}:removed`,
    /** Prefix of the intake counts, by the time of logging, and of the keys that belong to them. */
    intake: `${prefix}:in`,
    /** Entries of the message index whose events were removed, until the entries are removed too. */
    unindex: `${prefix}:unindex`,
  };
};

/** The keys of a replay of many in one shard. @param prefix of the shard */
export const replayKeys = (prefix: string, replayId: string) => ({
  /** How many of its deliveries are in which state. */
  counts: `${prefix}:replay:${replayId}`,
  /** Ids of the deliveries that became dead letters again. */
  failed: `${prefix}:replay:${replayId}:failed`,
});

/** The hash that holds this part of the message index. @param address see message-address.ts */
export const messageIndexKey = (address: string): string => {
  const { shard, bucket } = parseMessageAddress(address);
  return `${shardPrefix(shard)}:m:${bucket}`;
};

/** The record of work that is done once. Keys of one owner are never those of another. */
export const onceKey = (owner: string, key: string): string => {
  const digest = createHash('sha256')
    .update(JSON.stringify([owner, key]))
    .digest();
  return `${shardPrefix((digest[0] ?? 0) % SHARDS)}:once:${digest.toString('base64url').slice(0, 22)}`;
};

export const QUARANTINE = 'cr:{quarantine}';
export const REGISTRY = 'cr:{registry}';
