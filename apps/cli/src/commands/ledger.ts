import { addLedgers, type DestinationLedger, type Difference, type Ledger } from '@clickrelay/core';
import type { IntakeCounts, LedgerPart } from '@clickrelay/queue';
import type { Command } from 'commander';
import { type Api, connectApi } from '../api-client.ts';
import { addSpan } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { table } from '../format.ts';
import { describeSpool, type Spool, spoolOfReceiverHere } from '../spool.ts';
import { type Span, shortTime, spanOf } from '../time.ts';
import { type Context, show } from './context.ts';

export const registerLedger = (program: Command): void => {
  const command = addCommand(program, {
    usage: 'ledger',
    about: 'account for every event routed to a destination; exit code 1 if any is unaccounted for',
    example: 'ledger --since 24h --destination crm',
    run: (_, options: LedgerOptions, context) => showLedger(options, context),
  });
  addSpan(command, 'events that arrived').option('--destination <id>', 'only this one');
};

interface LedgerOptions extends Span {
  destination?: string;
}

/** One part, as the API returns it. */
interface Part extends LedgerPart {
  upstream: { messages: number; statuses: number; quarantined: number };
  intake: { from: string; to: string; messages: IntakeCounts; statuses: IntakeCounts };
}

type Whole = Ledger & Pick<Part, 'upstream' | 'intake'> & { spool?: Spool };

/** Shows the ledger. @returns exit code 1 if anything is unaccounted for */
const showLedger = async (options: LedgerOptions, context: Context): Promise<number> => {
  const api = connectApi(context.config);
  const { destination } = options;
  const query = { ...spanOf(options), destination };
  const spool = await spoolOfReceiverHere(context.config);
  const parts: Part[] = [];
  for (let cursor: string | null | undefined; cursor !== null; cursor = parts.at(-1)?.next ?? null) {
    parts.push(await api.call('GET /v1/ledger', { query: { ...query, cursor: cursor ?? undefined } }));
    tellProgress(parts, context);
  }
  const { upstream, intake } = parts[0] as Part;
  const ledger = { ...addLedgers(parts), upstream, intake, ...(spool && { spool }) };
  // One that was removed may still have a row; one that never was has none, and is no reason to say that all is well.
  if (destination !== undefined && ledger.destinations.length === 0) await assertKnown(api, destination);
  show(context, ledger, (whole) => ledgerText(whole, destination, context.config.CLICKRELAY_COMMAND));
  return ledger.balanced ? 0 : EXIT.wrong;
};

/** @throws {CommandError} `not_found` */
const assertKnown = async (api: Api, id: string): Promise<unknown> =>
  api.call('GET /v1/destinations/{id}', { path: { id } });

const tellProgress = (parts: readonly LedgerPart[], { json }: Context): void => {
  const last = parts.at(-1);
  if (json || !process.stderr.isTTY || last === undefined || (parts.length === 1 && last.next === null)) return;
  const events = parts.reduce((sum, part) => sum + part.events, 0);
  process.stderr.write(`\r${Math.round(last.progress * 100)} %, ${events} events${last.next === null ? '\n' : ''}`);
};

const ledgerText = (ledger: Whole, destination: string | undefined, command: string): string => {
  const { upstream, intake, spool, from, to, events, unrouted, completeSince, destinations, balanced } = ledger;
  const span = `${from === null ? 'up to' : `from ${shortTime(from)} to`} ${shortTime(to)}`;
  const lines = [`${counted(events, 'event')} logged ${span}; ${unrouted} of them were wanted by no destination`];
  lines.push(intakeText(intake));
  const { messages, statuses, quarantined } = upstream;
  lines.push(
    `accepted, but not yet events: ${messages} groups of messages, ${statuses} of statuses; ` +
      `in quarantine: ${quarantined}`,
    ...(spool ? [`spool: ${describeSpool(spool)}`] : []),
  );
  if (completeSince !== null && (from === null || from < completeSince)) {
    lines.push(`events before ${shortTime(completeSince)} may have left the log: no destination was waiting for them`);
  }
  if (destinations.length > 0) {
    lines.push(
      '',
      table(
        ['DESTINATION', 'ACCEPTED', '= DELIVERED', '+ PENDING', '+ PARKED', '+ DEAD', '+ REMOVED', '+ UNACCOUNTED', ''],
        destinations.map((row) => [
          row.id,
          String(row.accepted),
          ...[row.delivered, row.pending, row.parked, row.dead, row.removed, row.unaccounted].map((n) => `  ${n}`),
          row.retrying === 0 ? '' : `${row.retrying} failed before`,
        ]),
      ),
    );
  }
  if (balanced && destination !== undefined && destinations.length === 0) {
    lines.push('', `none of them was routed to ${destination}`);
  } else lines.push('', balanced ? 'it balances' : alarm(destinations, command));
  return lines.join('\n');
};

/** The intake counts: whole minutes or hours, which may begin before the span of the ledger and end after it. */
const intakeText = ({ from, to, messages, statuses }: Part['intake']): string => {
  const sum = (kind: keyof IntakeCounts) => messages[kind] + statuses[kind];
  const came = `${counted(sum('callbacks'), 'callback')} became ${counted(sum('events'), 'event')}`;
  const span = `counted in whole minutes or hours, from ${shortTime(from)} to ${shortTime(to)}`;
  return `${came}, ${counted(sum('repeats'), 'repetition')} dropped (${span})`;
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const PROBLEMS: Readonly<Record<Difference['problem'], string>> = {
  never_queued: 'was routed, but has no delivery',
  no_job: 'is pending, but has no job',
  no_dead_letter: 'failed, but is not among the dead letters',
};

const alarm = (destinations: readonly DestinationLedger[], command: string): string => {
  const count = destinations.reduce((sum, { unaccounted }) => sum + unaccounted, 0);
  const named = destinations.flatMap(({ differing }) => differing);
  return [
    `IT DOES NOT BALANCE: nobody will ever send ${count === 1 ? 'this delivery' : `these ${count} deliveries`}`,
    ...named.map(({ deliveryId, problem }) => `  ${deliveryId}  ${PROBLEMS[problem]}`),
    ...(named.length < count ? [`  and ${count - named.length} more`] : []),
    `send one: ${command} replay ${named[0]?.deliveryId}`,
  ].join('\n');
};
