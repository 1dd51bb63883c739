/** How bad: callbacks are lost or do not arrive now; a person is needed today; worth knowing. Worst first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * `pending`: true, but not for long enough. `raised`: told. `clearing`: no longer true, but not for long enough.
 * `unknown`: nobody can tell now; never the same as fine.
 */
export const CONDITION_STATES = ['pending', 'raised', 'clearing', 'unknown'] as const;
export type ConditionState = (typeof CONDITION_STATES)[number];

export const SUBJECT_KINDS = ['relay', 'receiver', 'worker', 'api', 'redis', 'destination', 'channel'] as const;

/**
 * What a condition is about. The id of a part is its host, not its process: a process dies, and its condition with it.
 * `relay` with an id is a machine, or a lane.
 */
export interface Subject {
  readonly kind: (typeof SUBJECT_KINDS)[number];
  readonly id: string | null;
}

/** What a person does about a condition. */
export interface Mend {
  readonly text: string;
  /** A line to type; null when there is none. */
  readonly command: string | null;
  /** A page of the docs, relative to the repository: `docs/conditions.md#redis_away`; null when there is none. */
  readonly link: string | null;
}

/** Something that is wrong, or may be, in the words that every surface shows. */
export interface Condition {
  /** Stable; `docs/conditions.md` lists all. */
  readonly code: string;
  readonly severity: Severity;
  readonly state: ConditionState;
  readonly subject: Subject;
  /** ISO 8601: the first moment it was true, the same until it ends; or since when nobody can tell, if it never was. */
  readonly since: string;
  /** Deliveries, callbacks or bytes that wait or fail because of it; 0 when nothing is counted. */
  readonly count: number;
  /** Made from codes, numbers, times and ids that the operator chose; never from a text, a name or an answer. */
  readonly sentence: string;
  readonly mend: Mend;
  /** The code of the condition that causes this one, which is listed beneath it and alerts nobody. */
  readonly inhibitedBy: string | null;
  readonly acknowledged: Acknowledgement | null;
}

export interface Acknowledgement {
  readonly by: string;
  /** ISO 8601; null: until the condition ends. */
  readonly until: string | null;
  /** What that person wrote; null: nothing. */
  readonly note: string | null;
}

export interface Verdict {
  /** The worst of what is raised; `unknown` when nothing is, and something cannot be told; `info` counts as `ok`. */
  readonly state: 'ok' | 'unknown' | 'warning' | 'critical';
  /** ISO 8601. */
  readonly checkedAt: string;
  /** Raised, clearing, unknown, pending; of each state the worst first, and last what another explains. */
  readonly conditions: readonly Condition[];
}
