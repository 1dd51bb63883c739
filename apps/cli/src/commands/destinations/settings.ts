import type { Command } from 'commander';
import { listOf, wholeNumber } from '../../arguments.ts';
import { usageError } from '../../errors.ts';

/** The settings that options give, for a new destination and for a change of one. */
export interface SettingOptions {
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

export const addSettings = (command: Command): Command =>
  command
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

/** The settings as the API takes them, which also checks them. A header without a value is null. */
export const settingsOf = ({ events, channels, classes, header, ...settings }: SettingOptions) => ({
  ...settings,
  ...(header !== undefined && { headers: Object.fromEntries(header.map(headerOf)) }),
  ...(events !== undefined && { events: listOf(events) }),
  ...(channels !== undefined && { channels: listOf(channels) }),
  ...(classes !== undefined && { classes: listOf(classes) }),
});

/** Its error does not quote the value, which may be a secret. */
const headerOf = (given: string): [name: string, value: string | null] => {
  const at = given.indexOf('=');
  if (at < 1) throw usageError('--header takes a name and a value: --header x-api-key=abc');
  const value = given.slice(at + 1).trim();
  return [given.slice(0, at).trim(), value === '' ? null : value];
};
