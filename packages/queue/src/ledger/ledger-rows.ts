import { type DestinationLedger, type Difference, deliveryId, MOST_DIFFERING } from '@clickrelay/core';
import { type Column, problemOf, type UndecidedDelivery } from './judge-delivery.ts';

type Row = { -readonly [Key in keyof Omit<DestinationLedger, 'differing'>]: DestinationLedger[Key] } & {
  readonly differing: Difference[];
};

const newRow = (id: string): Row => ({
  id,
  accepted: 0,
  delivered: 0,
  pending: 0,
  retrying: 0,
  parked: 0,
  dead: 0,
  removed: 0,
  unaccounted: 0,
  differing: [],
});

/** The rows of a ledger. A destination has one as soon as something of it is counted. */
export interface LedgerRows {
  /** Counts so many deliveries in a column. */
  count(destinationId: string, column: Column, by: number): void;
  /** Counts one delivery, and names it when it is unaccounted for. */
  add(delivery: UndecidedDelivery, column: Column): void;
  /** By destination id. */
  list(): DestinationLedger[];
}

export const createLedgerRows = (): LedgerRows => {
  const rows = new Map<string, Row>();
  const count = (id: string, column: Column, by: number): Row => {
    const row = rows.get(id) ?? newRow(id);
    rows.set(id, row);
    row.accepted += by;
    row[column] += by;
    return row;
  };
  return {
    count,
    add: ({ eventId, destinationId, state, wasTried }, column) => {
      const row = count(destinationId, column, 1);
      if (wasTried && (column === 'pending' || column === 'parked')) row.retrying++;
      if (column !== 'unaccounted' || row.differing.length >= MOST_DIFFERING) return;
      row.differing.push({ deliveryId: deliveryId(eventId, destinationId), eventId, problem: problemOf(state) });
    },
    list: () => [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
};
