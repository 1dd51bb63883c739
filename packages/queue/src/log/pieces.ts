import type { LoggedEvent } from '@clickrelay/core';
import { newSuffix, readLarge, storeLarge } from '../redis/large-text.ts';
import { eventKeys } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import type { Pieces } from './event-record.ts';

export const piecesKey = (eventId: string, suffix: string): string => `${eventKeys(eventId).record}:p:${suffix}`;

export const storePieces = async (store: Store, { event, source }: LoggedEvent): Promise<Pieces> => {
  const suffix = newSuffix();
  const { pieces } = await storeLarge(store, piecesKey(event.id, suffix), source);
  return [suffix, pieces, Buffer.byteLength(source)];
};

export const readPieces = (store: Store, eventId: string, [suffix, pieces]: Pieces): Promise<string | undefined> =>
  readLarge(store, { key: piecesKey(eventId, suffix), pieces });
