import { type Event, shardOf } from '@clickrelay/core';

/*
 * The address in the message index of a message id, a client message id, or the id that a reply refers to: five
 * characters made from a hash of the id.
 *
 *   character 1     the shard, one of the 64 hash tags of the events
 *   characters 2-3  the bucket, one of 4,096 hashes of that shard
 *   characters 4-5  the mark, which tells the messages of a bucket apart; when two share a mark, their events do
 *
 * A bucket holds a field of 24 characters for each event, the mark and the event id without `evt_`, with an empty
 * value: about 28 bytes, because Redis keeps a small hash in one block. An event log of 1 GB holds four million events:
 * about 15 to a bucket.
 */

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The address of one id. Never change it: existing entries are found, and removed, by it. */
export const messageAddress = (id: string): string => {
  let mixed = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) mixed = Math.imul(mixed ^ id.charCodeAt(at), 0x01000193);
  // FNV spreads its last characters badly over the upper bits.
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  let address = '';
  for (let bits = 0; bits < 30; bits += 6) address += BASE64URL[(mixed >>> bits) & 63];
  return address;
};

export const parseMessageAddress = (address: string): { shard: number; bucket: string; mark: string } => ({
  shard: shardOf(`evt_${address}`),
  bucket: address.slice(1, 3),
  mark: address.slice(3, 5),
});

/** All addresses that an event is found by, one after the other; empty when the event names no message. */
export const addressesOf = ({
  messageId,
  clientMessageId,
  relatedMessageId,
}: Pick<Event, 'messageId' | 'clientMessageId' | 'relatedMessageId'>): string => {
  const own = messageId ? messageAddress(messageId) : '';
  const client = clientMessageId ? messageAddress(clientMessageId) : '';
  const related = relatedMessageId ? messageAddress(relatedMessageId) : '';
  return own + (client === own ? '' : client) + (related === own || related === client ? '' : related);
};

const ADDRESS_LENGTH = 5;

export const splitAddresses = (addresses: string): string[] =>
  Array.from({ length: addresses.length / ADDRESS_LENGTH }, (_, index) =>
    addresses.slice(index * ADDRESS_LENGTH, (index + 1) * ADDRESS_LENGTH),
  );

/** The field that stands for an event in a bucket. */
export const indexField = (address: string, eventId: string): string =>
  parseMessageAddress(address).mark + eventId.slice('evt_'.length);

/** The id of the event that a field stands for. */
export const eventOfField = (field: string): string => `evt_${field.slice(2)}`;
