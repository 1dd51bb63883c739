import type { Ledger } from '@clickrelay/client';
import { call } from './session.ts';

/** One part of the ledger is a bounded walk of the log; this many follow each other at most. */
const MOST_PARTS = 20;

export interface LedgerSum {
  readonly accepted: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly retrying: number;
  readonly parked: number;
  readonly dead: number;
  readonly removed: number;
  readonly unaccounted: number;
  /** Whether the whole span was walked. */
  readonly isWhole: boolean;
}

/** The parts of the ledger since a time. */
export const readLedger = async (since: string, signal: AbortSignal): Promise<Ledger[]> => {
  const parts: Ledger[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && parts.length < MOST_PARTS) {
    const part: Ledger = await call('GET /v1/ledger', { query: { since, ...(cursor && { cursor }) }, signal });
    parts.push(part);
    cursor = part.next;
  }
  return parts;
};

/** Everything owed: what was accepted is delivered, waits, or ended, and the rest is unaccounted for. */
export const sumParts = (parts: readonly Ledger[]): LedgerSum => {
  const rows = parts.flatMap(({ destinations }) => destinations);
  const of = (
    name: 'accepted' | 'delivered' | 'pending' | 'retrying' | 'parked' | 'dead' | 'removed' | 'unaccounted',
  ) => rows.reduce((sum, row) => sum + row[name], 0);
  return {
    accepted: of('accepted'),
    delivered: of('delivered'),
    waiting: of('pending'),
    retrying: of('retrying'),
    parked: of('parked'),
    dead: of('dead'),
    removed: of('removed'),
    unaccounted: of('unaccounted'),
    isWhole: parts.at(-1)?.next === null,
  };
};
