import type { StoredEvent } from '@clickrelay/core';
import { luaTable } from '../redis/script.ts';
import { RECORD_HEAD_BYTES } from '../redis/size-limits.ts';

/*
 * How an event is kept. A record is one string:
 *
 *   one character   whether all its deliveries have ended, and are no longer kept
 *   a line of JSON  the head, an array; scripts read it too
 *   the rest        the element's own text; empty when the element is large, and lies in pieces beside the record
 *
 * Only this file knows where a field of the head stands. Scripts get the positions by `RECORD_LUA`.
 */

/** The callback that brought an event. */
export interface Origin {
  /** Its position in the group of callbacks that it was committed with, from 0. */
  readonly index: number;
  /** How many callbacks were committed together. */
  readonly groupSize: number;
  /** Length of its body, in bytes. */
  readonly size: number;
  /** How many elements it has; 0 when that is not known. */
  readonly elements: number;
}

/** The pieces of a large element: suffix of their key, how many there are, and their size in bytes. */
export type Pieces = readonly [suffix: string, count: number, bytes: number];

/** Everything a record holds about an event except the element's own text. */
export interface RecordHead extends Omit<StoredEvent, 'id' | 'source'> {
  /** Names the group of callbacks that brought the event: see `claimOf`. */
  readonly claim: string;
  /** The addresses that the message index keeps it under: see message-address.ts. */
  readonly addresses: string;
  /** Ids of the destinations that it was routed to. */
  readonly routes: readonly string[];
  /** Absent unless the element is large. */
  readonly pieces: Pieces | undefined;
  /** Absent for events that were logged without a callback. */
  readonly origin: Origin | undefined;
}

/** The fields of the head, in the order in which they stand. */
const FIELDS = [
  'type',
  'integrationId',
  'integrationName',
  'receivedAt',
  'claim',
  'addresses',
  'routes',
  'pieces',
  'origin',
] as const satisfies readonly (keyof RecordHead)[];

/** The first character of a record. */
const RECORD_FLAGS = { open: ' ', ended: '+' } as const;

/**
 * For scripts: the positions in a decoded head, from 1, those in `RECORD.pieces`, the flag of an ended record, and how
 * much of a record to read for its head.
 */
export const RECORD_LUA =
  luaTable('RECORD', {
    ...Object.fromEntries(FIELDS.map((field, index) => [field, index + 1])),
    ended: RECORD_FLAGS.ended,
    headBytes: RECORD_HEAD_BYTES,
  }) + luaTable('PIECES', { suffix: 1, count: 2, bytes: 3 });

/** A record that begins with this head. @param source the element's own text, or nothing when it lies in pieces */
export const encodeRecord = (head: RecordHead, source: string): string => {
  const { index, size, elements, groupSize } = head.origin ?? {};
  const values = { ...head, pieces: head.pieces ?? false, origin: head.origin && [index, size, elements, groupSize] };
  const line = FIELDS.map((field) => values[field]);
  // JSON has no undefined: a missing origin is left out.
  if (line.at(-1) === undefined) line.pop();
  return `${RECORD_FLAGS.open}${JSON.stringify(line)}\n${source}`;
};

/** What is stored of an event is none of our records. */
export class UnreadableRecordError extends Error {
  override readonly name = 'UnreadableRecordError';
  readonly code = 'unreadable';

  constructor() {
    super('what is stored of this event cannot be read');
  }
}

const parseHead = (line: string) => {
  try {
    const values = JSON.parse(line);
    if (Array.isArray(values) && typeof values[0] === 'string') return values;
  } catch {
    // Not JSON.
  }
  throw new UnreadableRecordError();
};

/**
 * @param start the beginning of a record
 * @returns undefined when it does not hold the whole head
 * @throws {UnreadableRecordError}
 */
export const decodeHead = (start: string): RecordHead | undefined => {
  const end = start.indexOf('\n');
  if (end === -1) return undefined;
  const [type, integrationId, integrationName, receivedAt, claim, addresses, routes, pieces, origin] = parseHead(
    start.slice(1, end),
  );
  const [index, size, elements, groupSize] = origin ?? [];
  return {
    type,
    integrationId,
    integrationName,
    receivedAt,
    claim,
    addresses,
    routes,
    pieces: pieces || undefined,
    origin: origin && { index, size, elements, groupSize },
  };
};

/** As `decodeHead`, for lists. @returns undefined also for a head that cannot be read */
export const readableHead = (start: string): RecordHead | undefined => {
  try {
    return decodeHead(start);
  } catch (error) {
    if (error instanceof UnreadableRecordError) return undefined;
    throw error;
  }
};

/** The element's own text; empty when it lies in pieces. */
export const sourceIn = (record: string): string => record.slice(record.indexOf('\n') + 1);
