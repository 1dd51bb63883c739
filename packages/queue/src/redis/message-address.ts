import { type Event, shardOf } from '@clickrelay/core';

/*
 * Where the message index keeps what is known of a message id, a client message id, or the id that a reply refers to:
 * five characters out of a hash of it.
 *
 *   character 1     the shard, one of the 64 hash tags of the events
 *   characters 2-3  the bucket, one of 4,096 hashes of that shard
 *   characters 4-5  the mark, which tells the messages of a bucket apart; where it does not, the events do
 *
 * A bucket holds a field of 24 characters for each event, the mark and the event id without `evt_`, and no value: some
 * 28 bytes, because small hashes lie in one block. Four million events, all that an event log of 1 GB holds, are about 15
 * to a bucket.
 */

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The address of one id. Never change it: what was indexed before is found, and removed, by it. */
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

/** Everything that an event is found by, one address after the other; empty when it names no message. */
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

/** The field of an event in a bucket. */
export const indexField = (address: string, eventId: string): string =>
  parseMessageAddress(address).mark + eventId.slice('evt_'.length);

/** The event of a field. */
export const eventOfField = (field: string): string => `evt_${field.slice(2)}`;
