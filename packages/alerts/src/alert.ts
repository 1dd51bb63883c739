import { createHash } from 'node:crypto';
import { toIso } from '@clickrelay/core';
import type { Condition, Mend, Severity, Subject } from '@clickrelay/health';

/** Raised; raised and now worse; raised and not mended for long; ended; asked for by a person. */
export type What = 'raised' | 'risen' | 'repeated' | 'resolved' | 'test';

/** What a channel is told of one condition. Made from codes, counts, times and ids that the operator chose. */
export interface Alert {
  /** `alt_…`, the same however often it is sent, and whoever sends it. */
  readonly id: string;
  readonly what: What;
  /** ISO 8601. */
  readonly at: string;
  readonly code: string;
  readonly severity: Severity;
  readonly subject: Subject;
  /** ISO 8601. */
  readonly since: string;
  readonly count: number;
  readonly sentence: string;
  readonly mend: Mend;
}

/** Far longer than any sentence of a rule: what is sent has limits. */
const MOST_CHARACTERS = 300;
const MOST_OF_COMMAND = 200;

export interface AlertId {
  readonly channelId: string;
  readonly code: string;
  readonly subject: Subject;
  readonly since: string;
  readonly what: What;
  /** How often this channel was told of it before. */
  readonly number: number;
}

const alertId = ({ channelId, code, subject, since, what, number }: AlertId): string => {
  const parts = JSON.stringify([channelId, code, subject.kind, subject.id, since, what, number]);
  return `alt_${createHash('sha256').update(parts).digest('base64url').slice(0, 22)}`;
};

export const alertOf = (
  condition: Omit<Condition, 'state' | 'inhibitedBy' | 'acknowledged'>,
  {
    what,
    channelId,
    number,
    since,
    nowMs,
  }: Pick<AlertId, 'what' | 'channelId' | 'number' | 'since'> & { nowMs: number },
): Alert => {
  const { code, severity, subject, count, sentence, mend } = condition;
  const { text, command, link } = mend;
  return {
    id: alertId({ channelId, code, subject, since, what, number }),
    what,
    at: toIso(nowMs),
    code,
    severity,
    subject,
    since,
    count,
    sentence: shorten(sentence),
    mend: {
      text: shorten(text),
      command: command !== null && command.length <= MOST_OF_COMMAND ? command : null,
      // The pages of the docs are named by their place in the repository, which leads nowhere from a chat.
      link: link !== null && /^https?:\/\//.test(link) && URL.canParse(link) ? new URL(link).href : null,
    },
  };
};

export const testAlert = (channelId: string, number: number, nowMs: number): Alert => {
  const mend = { text: '', command: null, link: null };
  const subject = { kind: 'channel', id: channelId } as const;
  const since = toIso(nowMs);
  return alertOf(
    { code: TEST_CODE, severity: 'info', subject, since, count: 0, sentence: TEST_SENTENCE, mend },
    { what: 'test', channelId, number, since, nowMs },
  );
};

/** Of no condition. */
const TEST_CODE = 'test';
const TEST_SENTENCE = 'this is a test from Clickrelay; nothing is wrong';

/** By characters as people count them, so that no half of one is left. */
const shorten = (text: string): string => {
  const characters = [...text];
  return characters.length <= MOST_CHARACTERS ? text : `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…`;
};
