import type { DeliveryError } from '@clickrelay/core';
import { toIso } from '@clickrelay/core';
import type { Outcome } from '../jobs/outcome.ts';

/** One try at a delivery. */
export interface Attempt {
  /** From 1, in the order of time. */
  readonly number: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: Outcome['kind'];
  readonly status: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The first 16 KB of the answer. */
  readonly response: string;
}

/** An attempt as it is to be recorded. */
export interface AttemptRecord {
  readonly eventId: string;
  readonly destinationId: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly status: number | null;
  readonly error: Pick<DeliveryError, 'code' | 'message'> | undefined;
  readonly response: string;
  /** The replay of many that it is made for: told in the same step when this ends the delivery. */
  readonly replayId?: string | undefined;
  /** Nothing was tried before, and nobody asked for it again. Counted, and not kept. */
  readonly isFirst?: boolean;
}

/** The field of an attempt, among those of its event's deliveries. */
export const attemptField = (destinationId: string, startedAtMs: number): string => `${destinationId}#${startedAtMs}`;

/** How an attempt ended, as it is written. These are not the letters of delivery states. */
const OUTCOME_LETTERS = { delivered: 'd', retry: 'r', dead_letter: 'x' } as const;
const OUTCOMES = new Map(Object.entries(OUTCOME_LETTERS).map(([kind, letter]) => [letter, kind as Outcome['kind']]));

/** Short on purpose: a field of at most 64 bytes keeps Redis's compact encoding, and most attempts succeed. */
export const encodeAttempt = ({ durationMs, outcome, status, error, response }: AttemptRecord): string => {
  const next = outcome.kind === 'retry' ? outcome.delayMs : 0;
  const list = [
    OUTCOME_LETTERS[outcome.kind],
    durationMs,
    status,
    response,
    error?.code,
    error?.message,
    next || undefined,
  ];
  while (list.length > 3 && (list.at(-1) === undefined || list.at(-1) === '')) list.pop();
  return JSON.stringify(list);
};

/** An attempt, and when the next one is due. */
export type DecodedAttempt = Omit<Attempt, 'number'> & { readonly nextAtMs: number | null };

/** Stands for an attempt that cannot be read, so that it spoils no other. */
const UNREADABLE = [
  OUTCOME_LETTERS.retry,
  0,
  null,
  '',
  'unreadable',
  'what is stored of this attempt cannot be read',
] as const;

const parseAttempt = (text: string) => {
  try {
    const list = JSON.parse(text);
    return Array.isArray(list) ? list : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
};

export const decodeAttempt = (startedAtMs: number, text: string): DecodedAttempt => {
  const [kind, durationMs, status, response, code, message, next] = parseAttempt(text);
  return {
    startedAt: toIso(startedAtMs),
    durationMs,
    outcome: OUTCOMES.get(kind) ?? 'retry',
    status,
    error: code ? { code, message: message ?? '' } : null,
    response: response ?? '',
    nextAtMs: next ? startedAtMs + durationMs + next : null,
  };
};
