import { type LoggedEvent, SHARDS, shardOf, splitCallback } from '@clickrelay/core';
import { sampleCallback } from '@clickrelay/simulator';

export const RECEIVED_AT = '2026-03-01T12:00:00.000Z';

/** An event that never happened before. */
export const newEvent = (type = 'moText', overrides: Record<string, unknown> = {}): LoggedEvent =>
  splitCallback(JSON.stringify(sampleCallback(type, overrides)), RECEIVED_AT)[0] as LoggedEvent;

export const newEvents = (count: number, type = 'moText', overrides: Record<string, unknown> = {}): LoggedEvent[] =>
  Array.from({ length: count }, () => newEvent(type, overrides));

/** The same, spread over all shards: each of another conversation. */
export const newConversations = (count: number, type = 'moText'): LoggedEvent[] =>
  Array.from({ length: count }, (_, index) => newEvent(type, { from: `2799900${index}` }));

/** An event of the given shard. */
export const newEventOf = (shard: number): LoggedEvent => {
  for (let from = 0; from < SHARDS * 1_000; from++) {
    const logged = newEvent('moText', { from: String(from) });
    if (shardOf(logged.event.id) === shard) return logged;
  }
  throw new Error(`no conversation is of shard ${shard}`);
};

export const idsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ event }) => event.id);
