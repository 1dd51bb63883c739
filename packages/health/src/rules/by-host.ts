import type { Part, PartRole, ReceiverPart, WorkerPart } from '@clickrelay/queue';
import { SEVERITIES, type Severity } from '../condition.ts';
import type { Sighting } from '../rule.ts';

export const receiversOf = (parts: readonly Part[]): readonly (ReceiverPart & Part)[] =>
  parts.filter((part): part is ReceiverPart & Part => part.role === 'receiver');

export const workersOf = (parts: readonly Part[]): readonly (WorkerPart & Part)[] =>
  parts.filter((part): part is WorkerPart & Part => part.role === 'worker');

/** `the worker on host-1` */
export const nameOf = ({ role, hostName }: { readonly role: PartRole; readonly hostName: string }): string =>
  `the ${role === 'api' ? 'API' : role} on ${hostName}`;

/** Several processes of one kind on one host are one subject: the worst of them is told. */
export const worstOfEach = (sightings: readonly Sighting[]): readonly Sighting[] => {
  const bySubject = Map.groupBy(sightings, ({ kind, id }) => `${kind}:${id}`);
  return [...bySubject.values()].map((same) => same.reduce((worst, one) => (isWorse(one, worst) ? one : worst)));
};

const isWorse = (a: Sighting, b: Sighting): boolean => {
  const difference = rank(a.raises) - rank(b.raises) || rank(a.holds) - rank(b.holds);
  return difference === 0 ? a.count > b.count : difference < 0;
};

const rank = (severity: Severity | null): number =>
  severity === null ? SEVERITIES.length : SEVERITIES.indexOf(severity);
