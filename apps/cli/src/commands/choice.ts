import type { DeadLetter, RequestOf } from '@clickrelay/client';
import type { Command } from 'commander';
import { parseSince } from '../duration.ts';
import { usageError } from '../errors.ts';

/** Which of many deliveries are meant. */
export interface Choice {
  all?: boolean;
  destination?: string;
  /** The API says which there are. */
  kind?: DeadLetter['kind'];
  events?: string;
  since?: string;
  until?: string;
  filter?: string;
  except?: string;
}

/** Adds the options that say which of many are meant. */
export const addChoice = (command: Command): Command =>
  command
    .option('--all', 'every dead letter, or with the following only some of them')
    .option('--destination <id>', 'of one destination')
    .option('--kind <kind>', 'of this kind: refused, not_built or crashes_consumer')
    .option('--events <patterns>', 'of these event types, comma-separated, * for any characters')
    .option('--since <when>', 'that failed since: an age (15m, 72h, 7d) or a date')
    .option('--until <when>', 'that failed before: an age or a date')
    .option('--filter <expression>', "CEL over `event` that must be true: event.from == '2799900001'")
    .option('--except <deliveryIds>', 'but these, comma-separated');

type Selection = Omit<RequestOf<'POST /v1/dead-letters/remove'>['body'], 'dryRun' | 'expected'>;

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** As the API takes it: these, or all that match but these. */
export const chosenBy = (ids: readonly string[], { all, events, since, until, except, ...rest }: Choice): Selection => {
  if (ids.length > 0 === (all === true)) {
    throw usageError('give ids of deliveries (dlv_…), or --all for every dead letter');
  }
  return {
    ...(ids.length > 0 && { deliveries: [...ids] }),
    ...rest,
    ...(since !== undefined && { since: parseSince(since, '--since').toISOString() }),
    ...(until !== undefined && { until: parseSince(until, '--until').toISOString() }),
    ...(events !== undefined && { events: listOf(events) }),
    ...(except !== undefined && { except: listOf(except) }),
  };
};

export interface Plan {
  readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
  readonly oldest: string | null;
}

const REASONS: Readonly<Record<string, string>> = {
  excepted: 'excepted',
  already_pending: 'on their way already',
  delivered: 'delivered since',
  dead_letter: 'dead letters',
  failed_since: 'dead letters again, since then',
  removed: 'given up',
  event_gone: 'whose event is no longer in the log',
  destination_gone: 'whose destination was removed',
  unknown: 'unknown',
};

/** What is not chosen, and why: a line each. */
export const leftOutLines = ({ leftOut }: Plan): string[] =>
  leftOut.map(({ reason, count }) => `left out: ${count} ${REASONS[reason] ?? reason}`);

/** How many of what. */
export const countedDeliveries = (matched: number | null, delivered: boolean | undefined): string => {
  if (matched === null) return delivered ? 'very many deliveries' : 'very many dead letters';
  if (delivered) return `${matched} delivered deliver${matched === 1 ? 'y' : 'ies'}`;
  return `${matched} dead letter${matched === 1 ? '' : 's'}`;
};
