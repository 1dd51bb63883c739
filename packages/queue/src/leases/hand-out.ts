import type { Settlement } from '../jobs/settle.ts';
import type { TakenJob } from '../jobs/source.ts';
import type { PullOutlet } from './pull-outlet.ts';
import { endIfReady, endWaiting, fits, type Lease, wantedBy } from './waiter.ts';

/** What comes within this time after the first is handed out with it. */
const GATHER_MS = 50;

/** Makes a lease of a taken job, or says what becomes of the job instead. */
export type PrepareLease = (job: TakenJob, leaseMs: number) => Promise<{ lease: Lease } | { settlement: Settlement }>;

/** Hands a taken job to the consumer that has waited longest. */
export const handOut = async (outlet: PullOutlet, job: TakenJob, prepare: PrepareLease): Promise<Settlement> => {
  const waiter = [...outlet.waiters].find((candidate) => wantedBy(candidate) > 0);
  if (waiter === undefined) return { kind: 'return' };
  waiter.preparing++;
  waiter.hasLooked = true;
  try {
    const prepared = await prepare(job, waiter.leaseMs);
    if (!('lease' in prepared)) return prepared.settlement;
    // It went away meanwhile, or was refused.
    if (!outlet.waiters.has(waiter)) return { kind: 'return' };
    if (!fits(waiter, prepared.lease)) {
      waiter.isEnding = true;
      return { kind: 'return' };
    }
    if (waiter.leases.push(prepared.lease) === 1) setTimeout(() => endWaiting(waiter), GATHER_MS);
    outlet.out++;
    return { kind: 'leased' };
  } finally {
    waiter.preparing--;
    endIfReady(waiter);
  }
};
