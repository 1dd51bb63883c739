import { but, HOUR, lane, ledger, log, MIB, MINUTE, NOW, quarantine, SECOND, store } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const waiting = (ageMs: number, groups = 12) => lane({ groups, oldestGroupAt: NOW - ageMs });
const early = (trimmedEarly: number, agoMs: number | null) =>
  log({ trimmedEarly, trimmedEarlyAt: agoMs === null ? null : NOW - agoMs });

export const keptCases: Cases = {
  worker_behind: {
    '20 s': waiting(20 * SECOND),
    '21 s': waiting(21 * SECOND),
    '59 s': waiting(59 * SECOND),
    '1 minute, 1 group': waiting(MINUTE, 1),
    '5 minutes': waiting(5 * MINUTE),
    '5 minutes and a second': waiting(5 * MINUTE + SECOND),
    '10 minutes': waiting(10 * MINUTE),
    'of unknown age': lane({ groups: 1 }),
    unknown: but({ lanes: WHY }),
  },
  ledger_unbalanced: {
    'in one walk': ledger({ unaccounted: { crm: 3 } }),
    'in two walks': ledger({ unaccounted: { crm: 3, bot: 1 }, unaccountedBefore: { crm: 1, bot: 1 } }),
    mended: ledger({ unaccounted: { crm: 0 }, unaccountedBefore: { crm: 3 } }),
    unknown: but({ ledger: WHY }),
  },
  ledger_not_walked: {
    '5 hours ago': ledger({ walkedAt: NOW - 5 * HOUR }),
    '6 hours ago': ledger({ walkedAt: NOW - 6 * HOUR }),
    'never, in an hour': { ...ledger({ walkedAt: null }), store: store({ createdAt: NOW - HOUR }).store },
    'never, in 7 hours': { ...ledger({ walkedAt: null }), store: store({ createdAt: NOW - 7 * HOUR }).store },
    'never, since nobody knows when': { ...ledger({ walkedAt: null }), store: store({ createdAt: null }).store },
    'never, in a store of which nobody tells': { ...ledger({ walkedAt: null }), store: WHY },
    'walked, in a store of which nobody tells': but({ store: WHY }),
    unknown: but({ ledger: WHY }),
  },
  quarantine: {
    '1 callback': quarantine({ callbacks: 1 }),
    '70 % of its callbacks': quarantine({ callbacks: 7_000 }),
    '70.1 % of its callbacks': quarantine({ callbacks: 7_010 }),
    '80 % of its callbacks': quarantine({ callbacks: 8_000 }),
    '80 % of its bytes': quarantine({ callbacks: 9, bytes: 0.8 * 256 * MIB }),
    unknown: but({ quarantine: WHY }),
  },
  retention_early: {
    '1 event': early(1, 10 * MINUTE),
    '5 hours ago': early(0, 5 * HOUR),
    '6 hours ago': early(0, 6 * HOUR),
    'nobody knows when': early(7, null),
    unknown: but({ log: WHY }),
  },
  index_incomplete: {
    '1 of 20': log({ notIndexed: 1 }),
    '2 of 20': log({ notIndexed: 2 }),
    unknown: but({ log: WHY }),
  },
};
