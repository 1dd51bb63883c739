import type { DeadLetter, RequestOf } from '@clickrelay/client';
import type { Command } from 'commander';
import { parseSince } from '../duration.ts';
import { usageError } from '../errors.ts';

/** Which of many deliveries a command is about. */
export interface Choice {
  all?: boolean;
  destination?: string;
  /** The API checks it. */
  kind?: DeadLetter['kind'];
  events?: string;
  since?: string;
  until?: string;
  filter?: string;
  except?: string;
}

/** Adds the options that choose deliveries. */
export const addChoice = (command: Command): Command =>
  command
    .option('--all', 'all dead letters; the options below narrow them down')
    .option('--destination <id>', 'only those of this destination')
    .option('--kind <kind>', 'only this kind: refused, not_built or crashes_consumer')
    .option('--events <patterns>', 'only these event types, comma-separated; * stands for any characters')
    .option('--since <when>', 'only those that failed since: an age (15m, 72h, 7d) or a date')
    .option('--until <when>', 'only those that failed before: an age or a date')
    .option('--filter <expression>', "only events for which this CEL expression is true: event.from == '2799900001'")
    .option('--except <deliveryIds>', 'all but these, comma-separated');

type Selection = Omit<RequestOf<'POST /v1/dead-letters/remove'>['body'], 'dryRun' | 'expected'>;

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** The choice as the API takes it: named deliveries, or all that match except some. */
export const chosenBy = (ids: readonly string[], { all, events, since, until, except, ...rest }: Choice): Selection => {
  if (ids.length > 0 === (all === true)) {
    throw usageError('give delivery ids (dlv_…), or --all for all dead letters');
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
  already_pending: 'already on their way',
  delivered: 'delivered in the meantime',
  dead_letter: 'dead letters',
  failed_since: 'failed again in the meantime',
  removed: 'given up',
  event_gone: 'whose event is no longer in the log',
  destination_gone: 'whose destination was removed',
  unknown: 'unknown',
};

/** A line for each reason why deliveries are left out. */
export const leftOutLines = ({ leftOut }: Plan): string[] =>
  leftOut.map(({ reason, count }) => `left out: ${count} ${REASONS[reason] ?? reason}`);

/** How many deliveries, in words. */
export const countedDeliveries = (matched: number | null, delivered: boolean | undefined): string => {
  if (matched === null) return delivered ? 'very many deliveries' : 'very many dead letters';
  if (delivered) return `${matched} delivered deliver${matched === 1 ? 'y' : 'ies'}`;
  return `${matched} dead letter${matched === 1 ? '' : 's'}`;
};
