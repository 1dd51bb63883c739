import type { DeadLetter, RequestOf } from '@clickrelay/client';
import type { Command, Option } from 'commander';
import { addSpan, listOf, oneOf } from '../arguments.ts';
import { usageError } from '../errors.ts';
import { type Span, spanOf } from '../time.ts';

/** Which of many deliveries a command is about. */
export interface Choice extends Span {
  all?: boolean;
  destination?: string;
  kind?: DeadLetter['kind'];
  events?: string;
  filter?: string;
  except?: string;
}

/** The kinds of dead letters, as `DEAD_LETTER_KINDS` of packages/queue has them: loading that takes a second. */
const KINDS: readonly DeadLetter['kind'][] = ['refused', 'not_built', 'crashes_consumer'];

export const kindOption = (): Option => oneOf('--kind <kind>', 'only this kind', KINDS);

/** Adds the options that choose deliveries. */
export const addChoice = (command: Command): Command =>
  addSpan(
    command
      .option('--all', 'all dead letters; the options below narrow them down')
      .option('--destination <id>', 'only those of this destination')
      .addOption(kindOption())
      .option('--events <patterns>', 'only these event types, comma-separated; * stands for any characters'),
    'those that failed',
  )
    .option('--filter <expression>', "only events for which this CEL expression is true: event.from == '2799900001'")
    .option('--except <deliveryIds>', 'all but these, comma-separated');

type Selection = Omit<RequestOf<'POST /v1/dead-letters/remove'>['body'], 'dryRun' | 'expected'>;

/** The choice as the API takes it: named deliveries, or all that match except some. */
export const chosenBy = (ids: readonly string[], { all, events, since, until, except, ...rest }: Choice): Selection => {
  if (ids.length > 0 === (all === true)) {
    throw usageError('give delivery ids (dlv_…), or --all for all dead letters');
  }
  return {
    ...(ids.length > 0 && { deliveries: [...ids] }),
    ...rest,
    ...spanOf({ since, until }),
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
