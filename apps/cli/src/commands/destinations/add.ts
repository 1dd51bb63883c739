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
    .option('--type <type>', 'webhook (signed POSTs) or pull (consumers lease over HTTP)', 'webhook')
    .option('--url <url>', 'where a webhook POSTs to, https://…')
    .option('--events <patterns>', 'event types it wants, comma-separated; * stands for any characters (default: all)')
    .option('--channels <names>', 'channels it wants, comma-separated, such as whatsapp,sms (default: all)')
    .option(
      '--classes <names>',
      'status classes it wants: pending, delivered, read, failed, unknown; comma-separated (default: all)',
    )
    .option('--format <format>', 'event, clickatell, cloudevents or cloudevents-binary (default: event)')
    .option('--transform <expression>', 'JSONata over the event; its result is sent instead: {"said": data.text}')
    .option('--header <name=value...>', 'a header to send with each delivery, such as x-api-key=abc; may be repeated')
    .option('--secret <secret>', 'the whsec_… to sign with (default: the one it has, or a new one)')
    .option('--timeout-ms <ms>', 'time limit for one attempt (default: 15000)', wholeNumber)
    .option('--concurrency <n>', 'attempts at once (default: 32)', wholeNumber)
    .option(
      '--filter <expression>',
      "only events for which this CEL expression is true, such as event.data.text.contains('STOP')",
    )
    .option('--rate <rate>', 'the most attempts: 50/s, 600/m (default: no limit)')
    .option('--ordering <ordering>', 'none, or conversation: one event at a time for each pair of parties')
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

const addDestination = async (id: string, options: AddOptions, context: Context): Promise<void> => {
  if (options.type === 'webhook' && options.url === undefined) {
    throw usageError('a webhook destination needs --url; if consumers lease from it over HTTP, give --type pull');
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
    // The API checks it.
    body: declared as DestinationDeclaration,
  });
  show(context, destination, ({ type, events: patterns, secret, warnings }) => {
    const lines = [`${id} (${type}) gets ${patterns.join(', ')} from now on`];
    const isNew = options.secret === undefined && typeof secret === 'string' && secret.startsWith('whsec_');
    const { CLICKRELAY_COMMAND: command } = context.config;
    if (isNew) lines.push(`its secret: ${secret}`);
    else if (type === 'webhook' && options.secret === undefined) {
      lines.push(`its secret has not changed; \`${command} destinations secret ${id}\` shows it`);
    }
    return [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n');
  });
};

/** Its error does not quote the value, which may be a secret. */
const headerOf = (given: string): [name: string, value: string] => {
  const at = given.indexOf('=');
  if (at < 1) throw usageError('--header takes a name and a value: --header x-api-key=abc');
  return [given.slice(0, at).trim(), given.slice(at + 1).trim()];
};
