import type { Severity, Subject } from './condition.ts';
import type { Facts } from './facts.ts';
import type { Known, Unknown } from './known.ts';

/** One severity of a rule, and the hysteresis in time that belongs to it. */
export interface Level {
  readonly severity: Severity;
  /** How long it must be true before it is raised, in ms; at most an hour. @default 0 */
  readonly forMs?: number;
  /** How long it must be false before it ends, in ms. @default 60000 */
  readonly keepMs?: number;
}

/** What a look is about. */
interface Seen {
  /** The id of the subject; null when the relay as a whole is meant. */
  readonly id: string | null;
  /** The kind of the subject. @default that of the rule */
  readonly kind?: Subject['kind'];
}

/** A subject of which a rule is true now, or nearly: what is not sighted is false. */
export interface Sighting extends Seen {
  /** The worst severity whose threshold for raising is reached; null when none is. Lesser levels are true too. */
  readonly raises: Severity | null;
  /** The worst severity whose threshold for ending is not passed yet: at least `raises`. */
  readonly holds: Severity;
  /** Since when it has been true, if the facts tell, in ms since 1970: `forMs` counts from then. */
  readonly sinceMs?: number | undefined;
  readonly count: number;
  /** Lower case but for names, no full stop. */
  readonly sentence: string;
  readonly mend: Advice;
}

/** What a person does about it. */
export interface Advice {
  readonly text: string;
  /** A line to type. */
  readonly command?: string | null | undefined;
  /** A page that says more. @default the paragraph of the condition in docs/conditions.md */
  readonly link?: string | null | undefined;
}

/** A subject of which nobody can tell now: nothing is raised for it, and what is raised does not end. */
export type Blind = Seen & Unknown;

/** One kind of condition. A rule is pure: it sees facts and the time, and nothing else. */
export interface Rule {
  readonly code: string;
  readonly kind: Subject['kind'];
  /** From the least severe to the worst. */
  readonly levels: readonly [Level, ...Level[]];
  /**
   * Codes that this one explains while it is raised: with the same subject, if that is a destination; else all, but
   * while it is a warning nothing that is critical.
   */
  readonly inhibits?: readonly string[];
  /** For docs/conditions.md: when it is raised, and when it ends. */
  readonly when: string;
  /** For docs/conditions.md: what it means, and what to do. */
  readonly about: string;
  look(facts: Facts, nowMs: number): Known<readonly (Sighting | Blind)[]>;
}
