import type { Severity, Subject } from '@clickrelay/health';

/* What is remembered of one channel, in Redis: see `openAlertRecords`. Times are ms since 1970. */

/** What a channel was told of a condition that has not ended, or whose end it was not told yet. */
export interface Told {
  readonly code: string;
  readonly subject: Subject;
  /** The worst that it was told. */
  readonly severity: Severity;
  /** Of the condition when it was told first, ISO 8601. */
  readonly since: string;
  readonly sentence: string;
  /** When it was told last. */
  readonly at: number;
  /** How often it was told. */
  readonly number: number;
  /** Since when it has been over; null while it is not. */
  readonly endedAt: number | null;
}

export interface ChannelState {
  /** By `<code>|<subject>`. */
  readonly told: Readonly<Record<string, Told>>;
  /** When the channel was told that this was raised, within the last hour, by the same. */
  readonly raisedAt: Readonly<Record<string, readonly number[]>>;
  /** Since when there has been news that it was not told yet; null when there is none. */
  readonly waitingSince: number | null;
  readonly lastSentAt: number | null;
}

export const NOTHING_TOLD: ChannelState = {
  told: {},
  raisedAt: {},
  waitingSince: null,
  lastSentAt: null,
};

/** What comes and goes must have stayed away this long before its end is told. */
export const QUIET_MS = 1_800_000;
