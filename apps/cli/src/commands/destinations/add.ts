import type { DestinationDeclaration } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { listOf, wholeNumber } from '../../arguments.ts';
import { addCommand } from '../../command.ts';
import { usageError } from '../../errors.ts';
import { type Context, show } from '../context.ts';

export const registerAdd = (destinations: Command): Command =>
  addCommand(destinations, {
    usage: 'add <id>',
    about: 'add a destination, or replace the one with this id',
    example: "destinations add crm --url https://crm.example.com/clickatell --events 'mo*'",
    run: ([id], options: AddOptions, context) => addDestination(id as string, options, context),
  })
    .option('--type <type>', 'webhook (signed POSTs) or pull (leased from over HTTP)', 'webhook')
    .option('--url <url>', 'where a webhook POSTs to')
    .option('--events <patterns>', 'event types it wants, comma-separated, * for any characters (default: everything)')
    .option('--channels <names>', 'channels it wants, comma-separated, such as whatsapp,sms (default: all)')
    .option(
      '--classes <names>',
      'of statuses: pending, delivered, read, failed, unknown; comma-separated (default: all)',
    )
    .option('--format <format>', 'event, clickatell, cloudevents or cloudevents-binary (default: event)')
    .option('--transform <expression>', 'JSONata over the event; what it gives is sent instead: {"said": data.text}')
    .option('--header <name=value...>', 'a header of each delivery, such as x-api-key=abc; may be given several times')
    .option('--secret <secret>', 'whsec_…, to sign with (default: what it has, or a new one)')
    .option('--timeout-ms <ms>', 'for one attempt (default: 15000)', wholeNumber)
    .option('--concurrency <n>', 'connections at once (default: 32)', wholeNumber)
    .option('--filter <expression>', "CEL over `event` that must be true, such as event.data.text.contains('STOP')")
    .option('--rate <rate>', 'at most so many attempts: 50/s, 600/m (default: no limit)')
    .option('--ordering <ordering>', 'none, or conversation: one after the other for each pair of parties')
    .option('--retry-schedule <durations>', 'longest wait before each attempt: 0s,5s,2m (default: the worker’s)');

interface AddOptions {
  type: 'webhook' | 'pull';
  url?: string;
  events?: string;
  channels?: string;
  classes?: string;
  format?: string;
  header?: string[];
  transform?: string;
  secret?: string;
  timeoutMs?: number;
  concurrency?: number;
  filter?: string;
  rate?: string;
  ordering?: string;
  retrySchedule?: string;
}

/** Adds a destination, or replaces the one with this id. */
const addDestination = async (id: string, options: AddOptions, context: Context): Promise<void> => {
  if (options.type === 'webhook' && options.url === undefined) {
    throw usageError('a webhook destination needs --url; for one that is leased from over HTTP give --type pull');
  }
  const { events, channels, classes, header, ...settings } = options;
  const declared = {
    ...settings,
    ...(header !== undefined && { headers: Object.fromEntries(header.map(headerOf)) }),
    ...(events !== undefined && { events: listOf(events) }),
    ...(channels !== undefined && { channels: listOf(channels) }),
    ...(classes !== undefined && { classes: listOf(classes) }),
  };
  const destination = await connectApi(context.config).call('PUT /v1/destinations/{id}', {
    path: { id },
    // The API says what does not fit.
    body: declared as DestinationDeclaration,
  });
  show(context, destination, ({ type, events: patterns, secret }) => {
    const first = `${id} (${type}) gets ${patterns.join(', ')} from now on`;
    const isNew = options.secret === undefined && typeof secret === 'string' && secret.startsWith('whsec_');
    if (isNew) return `${first}\nits secret: ${secret}`;
    if (type !== 'webhook' || options.secret !== undefined) return first;
    return `${first}\nits secret is what it was; \`${context.config.CLICKRELAY_COMMAND} destinations secret ${id}\` shows it`;
  });
};

/** Repeats nothing of what was given: it may be a secret. */
const headerOf = (given: string): [name: string, value: string] => {
  const at = given.indexOf('=');
  if (at < 1) throw usageError('--header takes a name and a value: --header x-api-key=abc');
  return [given.slice(0, at).trim(), given.slice(at + 1).trim()];
};
