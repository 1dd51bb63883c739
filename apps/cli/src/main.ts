import { ConfigError } from '@clickrelay/service/settings';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from './commands/context.ts';
import { readConfig } from './config.ts';
import { CommandError } from './errors.ts';

// Each command is imported when it is called: `start` stays resident, and the others should answer at once.

const self = process.env['CLICKRELAY_COMMAND'] || 'clickrelay';

const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return Number(text);
};
const share = (text: string): number => {
  const value = Number(text);
  if (text === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1.');
  return value;
};
const rate = (text: string): number => {
  const value = Number(text);
  if (text === '' || !(value > 0)) throw new InvalidArgumentError('It is a number above 0.');
  return value;
};

const REVEAL_HELP = 'show what customers wrote and who they are; it is written into the audit record';

/** Written out, so that `--help` need not load them. */
const SAMPLE_NAMES = [
  'all, reply, status, moText, moMedia, moLocation, moContacts, moSuggestedResponse, moListPickerResponse,',
  'moButtonResponse, messageStatusUpdate; and odd ones: batch, integrationIdSpelling, locationLatitude,',
  'mediaByReference, mediaEncrypted, smsPercentEncoded, smsWithoutWhatsapp, statusUnknownCode, unknownType',
].join('\n         ');

/** A subcommand with what all of them have; its action gets the context last, and may resolve with an exit code. */
const command = <Options>(
  parent: Command,
  usage: string,
  description: string,
  example: string,
  action: (args: readonly string[], options: Options, context: Context) => Promise<unknown>,
): Command =>
  parent
    .command(usage, { isDefault: usage === 'list' })
    .description(description)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  $ ${self} ${example}`)
    .action(async function (this: Command) {
      const { json = false, ...options } = this.opts<{ json?: boolean }>();
      const stop = new AbortController();
      // Those who need an orderly end say so by looking at the signal; start has handlers of its own.
      if (this.name() === 'tail' || this.name() === 'send') {
        process.once('SIGINT', () => stop.abort());
        process.once('SIGTERM', () => stop.abort());
      }
      const context: Context = {
        config: readConfig(process.env),
        environment: process.env,
        version: packageJson.version,
        json,
        print: (text) => process.stdout.write(`${json ? text : printable(text)}\n`),
        signal: stop.signal,
      };
      const exitCode = await action(this.args, options as Options, context);
      process.exitCode = typeof exitCode === 'number' ? exitCode : 0;
    });

/** What says which of many are meant. */
const choosing = (parent: Command): Command =>
  parent
    .option('--all', 'every dead letter, or with the following only some of them')
    .option('--destination <id>', 'of one destination')
    .option('--kind <kind>', 'of this kind: refused, not_built or crashes_consumer')
    .option('--events <patterns>', 'of these event types, comma-separated, * for any characters')
    .option('--since <when>', 'that failed since: an age (15m, 72h, 7d) or a date')
    .option('--until <when>', 'that failed before: an age or a date')
    .option('--filter <expression>', "CEL over `event` that must be true: event.from == '2799900001'")
    .option('--except <deliveryIds>', 'but these, comma-separated');

/** A command of commands; without a word after it, it lists. */
const group = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  $ ${self} ${name} list`);

/** What came over the network may hold sequences that a terminal obeys. */
const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD');

const program = new Command('clickrelay')
  .description('Takes Clickatell callbacks, keeps them, and delivers them.')
  .version(packageJson.version)
  .showHelpAfterError(`(${self} --help shows what there is)`)
  .addHelpText('after', `\nExample:\n  $ ${self} start`)
  .exitOverride()
  .helpCommand(false);

command<{ roles?: string }>(
  program,
  'start',
  'run Clickrelay on this machine until Ctrl-C, with a Redis of its own unless REDIS_URL is set',
  'start --roles receiver,worker,api',
  async (_, options, { json, environment, version }) => {
    const { start } = await import('./commands/start.ts');
    return start({ ...options, json }, { environment, version });
  },
).option('--roles <names>', 'parts to run here: receiver, worker, api (default: all)');

command(
  program,
  'send <what>',
  'be a pretend Clickatell: send a sample (moText, reply, status, all, …), a file, or - for stdin',
  'send moText --count 1000 --rate 200 --duplicate 0.1 --shuffle 20',
  async ([what], options: import('./commands/send.ts').SendOptions, context) => {
    const { send } = await import('./commands/send.ts');
    return send(what as string, options, context);
  },
)
  .option('--count <n>', 'how many of each', wholeNumber, 1)
  .option('--rate <n>', 'callbacks a second (default: as fast as they are answered)', rate)
  .option('--duplicate <share>', 'share of the callbacks that is sent twice, 0 to 1', share, 0)
  .option('--shuffle <n>', 'lose the order among n neighbours', wholeNumber, 1)
  .option('--connections <n>', 'callbacks in flight at once', wholeNumber, 16)
  .option('--tries <n>', 'send one callback at most n times', wholeNumber, 5)
  .option('--exact', 'send the sample byte for byte: a second time it is a duplicate')
  .option('--url <url>', 'the receiver, or one of its callback URLs (default: the one that runs here)')
  .option('--single-url', 'post everything to --url as it is')
  .option('--auth <credential>', 'query:<secret>, basic:<user>:<password>, header:<name>:<secret> or none')
  .addHelpText('after', `\nSamples: ${SAMPLE_NAMES}`);

command<import('./commands/tail.ts').TailOptions>(
  program,
  'tail',
  'follow events as they come in, each with where it went',
  "tail --type 'mo*'",
  async (_, options, context) => {
    const { tail } = await import('./commands/tail.ts');
    return tail(options, context);
  },
)
  .option('--type <types>', 'only these event types, comma-separated')
  .option('--reveal', REVEAL_HELP);

command(
  program,
  'events [id]',
  'list the latest events, or show one with its deliveries and attempts',
  'events --type moText --since 2h',
  async ([id], options: import('./commands/events.ts').EventsOptions, context) => {
    const { listEvents, showEvent } = await import('./commands/events.ts');
    return id === undefined ? listEvents(options, context) : showEvent(id, options, context);
  },
)
  .option('--type <types>', 'only these event types, comma-separated')
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--since <when>', 'an age (15m, 72h, 7d) or a date')
  .option('--cursor <cursor>', 'go on where a list ended')
  .option('--reveal', REVEAL_HELP);

command<{ reindex?: true; reveal?: true }>(
  program,
  'message [id]',
  'show what became of a message: every status, where it stands, and the replies to it',
  'message 5b07c04f74c186e46ef5f036c4dc96fc',
  async ([id], options, context) => (await import('./commands/message.ts')).message(id, options, context),
)
  .option('--reveal', REVEAL_HELP)
  .option('--reindex', 'find messages by their events again, from the event log, when that index was lost')
  .addHelpText('after', '\nThe id is that of the message, or your own (clientMessageId).');

const destinations = group('destinations', 'where events go');
command(destinations, 'list', 'list destinations', 'destinations list', async (_, __, context) =>
  (await import('./commands/destinations.ts')).listDestinations(context),
);
command(
  destinations,
  'add <id>',
  'add a destination, or replace the one with this id',
  "destinations add crm --url https://crm.example.com/clickatell --events 'mo*'",
  async ([id], options: import('./commands/destinations.ts').AddOptions, context) =>
    (await import('./commands/destinations.ts')).addDestination(id as string, options, context),
)
  .option('--type <type>', 'webhook (signed POSTs) or pull (leased from over HTTP)', 'webhook')
  .option('--url <url>', 'where a webhook POSTs to')
  .option('--events <patterns>', 'event types it wants, comma-separated, * for any characters (default: everything)')
  .option('--channels <names>', 'channels it wants, comma-separated, such as whatsapp,sms (default: all)')
  .option('--classes <names>', 'of statuses: pending, delivered, read, failed, unknown; comma-separated (default: all)')
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
command(
  destinations,
  'secret <id>',
  'show what deliveries to it are signed with',
  'destinations secret crm',
  async ([id], _, context) => (await import('./commands/destinations.ts')).showSecret(id as string, context),
);
command(
  destinations,
  'show <id>',
  'show one destination with all its settings',
  'destinations show crm',
  async ([id], _, context) => (await import('./commands/destinations.ts')).showDestination(id as string, context),
);
command<{ keepOldFor: string }>(
  destinations,
  'rotate-secret <id>',
  'sign with a new secret, and for a while with the old one too',
  'destinations rotate-secret crm --keep-old-for 7d',
  async ([id], { keepOldFor }, context) =>
    (await import('./commands/destinations.ts')).rotateSecret(id as string, keepOldFor, context),
).option('--keep-old-for <duration>', 'how long the old one signs too; 0s for one that leaked', '24h');
command<{ type: string }>(
  destinations,
  'test <id>',
  'send it a sample, marked as a test; exit code 1 when it is not accepted',
  'destinations test crm --type moText',
  async ([id], { type }, context) =>
    (await import('./commands/destinations.ts')).testDestination(id as string, type, context),
).option('--type <type>', 'which sample', 'moText');
command<{ file: string; dryRun?: boolean }>(
  destinations,
  'apply',
  'make destinations what a file says; others stay as they are',
  'destinations apply -f destinations.yaml --dry-run',
  async (_, options, context) => (await import('./commands/destinations.ts')).applyDestinations(options, context),
)
  .requiredOption('-f, --file <file>', 'YAML with a list of destinations; - for standard input')
  .option('--dry-run', 'say what would change, and change nothing');
command<{ event: string; reveal?: true }>(
  destinations,
  'match <id>',
  'why an event goes to a destination, or does not',
  'destinations match crm --event evt_gZk8OE8kcICakMMPI1UTIK',
  async ([id], options, context) =>
    (await import('./commands/destinations.ts')).matchDestination(id as string, options, context),
)
  .requiredOption('--event <id>', 'evt_…, of an event in the log')
  .option('--reveal', REVEAL_HELP);
command(
  destinations,
  'remove <id>',
  'remove a destination, what waits for it and its dead letters',
  'destinations remove crm',
  async ([id], _, context) => (await import('./commands/destinations.ts')).removeDestination(id as string, context),
);
command<{ reason?: string }>(
  destinations,
  'pause <id>',
  'send it nothing until it is resumed; events wait',
  "destinations pause crm --reason 'moving house'",
  async ([id], { reason }, context) =>
    (await import('./commands/destinations.ts')).pauseDestination(id as string, reason, context),
).option('--reason <text>', 'why, for those who look');
command(destinations, 'resume <id>', 'go on sending', 'destinations resume crm', async ([id], _, context) =>
  (await import('./commands/destinations.ts')).resumeDestination(id as string, context),
);

command(
  program,
  'lease <destination>',
  'lease from a pull destination by hand, as a consumer would',
  'lease support-bot --wait-ms 10000 --ack',
  async ([id], options: import('./commands/lease.ts').LeaseOptions, context) =>
    (await import('./commands/lease.ts')).lease(id as string, options, context),
)
  .option('--max <n>', 'how many at most', wholeNumber, 1)
  .option('--wait-ms <ms>', 'how long to wait for the first, up to 25000 (default: not at all)', wholeNumber)
  .option('--lease-ms <ms>', 'how long they are held (default: 30000)', wholeNumber)
  .option('--ack', 'ack them')
  .option('--nack <error>', 'give them back, with this reason');

const keys = group('keys', 'keys of the API, for programs');
command(keys, 'list', 'list keys, oldest first', 'keys list', async (_, __, context) =>
  (await import('./commands/keys.ts')).listKeys(context),
);
command(
  keys,
  'create <name>',
  'make a key, which is shown this once',
  'keys create n8n --scopes lease --destinations n8n-*',
  async ([name], options: import('./commands/keys.ts').CreateOptions, context) =>
    (await import('./commands/keys.ts')).createKey(name as string, options, context),
)
  .requiredOption('--scopes <names>', 'read, reveal, replay, admin, lease; comma-separated')
  .option('--destinations <ids>', 'what lease is bound to, comma-separated, * for any characters');
command(keys, 'remove <id>', 'remove a key', 'keys remove key_5a0c1f9e77d2', async ([id], _, context) =>
  (await import('./commands/keys.ts')).removeKey(id as string, context),
);

command(
  program,
  'audit',
  'who changed, replayed or was shown what, newest first',
  'audit --limit 50',
  async (_, options: import('./commands/audit.ts').AuditOptions, context) =>
    (await import('./commands/audit.ts')).listAudit(options, context),
)
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--cursor <cursor>', 'go on where a list ended');

command(program, 'status', 'how safe callbacks are, and what waits where', 'status', async (_, __, context) =>
  (await import('./commands/status.ts')).showStatus(context),
);

command(
  program,
  'ledger',
  'what became of everything that was routed to a destination; exit code 1 when something is unaccounted for',
  'ledger --from 24h --destination crm',
  async (_, options: import('./commands/ledger.ts').LedgerOptions, context) =>
    (await import('./commands/ledger.ts')).showLedger(options, context),
)
  .option('--from <when>', 'an age (15m, 72h, 7d) or a date (default: all that the log has)')
  .option('--to <when>', 'an age or a date (default: now)')
  .option('--destination <id>', 'only this one');

const deadLetters = group('dead-letters', 'deliveries that ended without success');
command(
  deadLetters,
  'list',
  'list dead letters, newest first',
  'dead-letters list --destination crm',
  async (_, options: import('./commands/dead-letters.ts').ListOptions, context) =>
    (await import('./commands/dead-letters.ts')).listDeadLetters(options, context),
)
  .option('--destination <id>', 'only those of one destination')
  .option('--kind <kind>', 'only these: refused, not_built or crashes_consumer')
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--cursor <cursor>', 'go on where a list ended')
  .option('--reveal', REVEAL_HELP);
command(
  deadLetters,
  'show <deliveryId>',
  'show every attempt, with --reveal what was answered too',
  'dead-letters show dlv_crm_x7Vv0J1tq8mC2kQbZ4n9Lw',
  async ([id], options: import('./commands/context.ts').Reveal, context) =>
    (await import('./commands/dead-letters.ts')).showDeadLetter(id as string, options, context),
).option('--reveal', REVEAL_HELP);
choosing(
  command(
    deadLetters,
    'remove [deliveryIds...]',
    'give up for good: on these, or on all that match',
    'dead-letters remove --all --destination crm --kind not_built --dry-run',
    async (ids, options: import('./commands/dead-letters.ts').RemoveOptions, context) =>
      (await import('./commands/dead-letters.ts')).removeDeadLetters(ids, options, context),
  ),
)
  .option('--dry-run', 'tell which, and remove nothing')
  .option('--expected <n>', 'how many will go, as --dry-run tells: wanted for more than 100', wholeNumber);

choosing(
  command(
    program,
    'replay [deliveryIds...]',
    'send a delivery again, dead or delivered; or several, or all dead letters',
    'replay --all --destination crm',
    async (ids, options: import('./commands/replay.ts').ReplayOptions, context) =>
      (await import('./commands/replay.ts')).replay(ids, options, context),
  ),
)
  .option('--delivered', 'what was delivered already instead of dead letters; the times are those of the events')
  .option('--rate <rate>', 'at most so many: 500/s, 600/m (default: as fast as it goes)')
  .option('--dry-run', 'tell which, and send nothing')
  .option('--detach', 'do not wait until it is done');

const replays = group('replays', 'replays of many deliveries: who asked for what, and how far it is');
command(
  replays,
  'list',
  'list them, newest first',
  'replays list',
  async (_, options: import('./commands/context.ts').Reveal, context) =>
    (await import('./commands/replay.ts')).listReplays(options, context),
).option('--reveal', REVEAL_HELP);
command(
  replays,
  'pause <id>',
  'stop one that is to go on later',
  'replays pause rpl_0123456789abcdef',
  async ([id], _, context) => (await import('./commands/replay.ts')).changeReplay(id as string, 'paused', context),
);
command(replays, 'cancel <id>', 'give one up', 'replays cancel rpl_0123456789abcdef', async ([id], _, context) =>
  (await import('./commands/replay.ts')).changeReplay(id as string, 'cancelled', context),
);
command(
  replays,
  'resume <id>',
  'let one that was paused or cancelled go on where it stopped',
  'replays resume rpl_0123456789abcdef',
  async ([id], _, context) => (await import('./commands/replay.ts')).changeReplay(id as string, 'running', context),
);
command(
  replays,
  'failed <id>',
  'list the deliveries of one that became dead letters again',
  'replays failed rpl_0123456789abcdef',
  async ([id], _, context) => (await import('./commands/replay.ts')).listFailed(id as string, context),
);

const quarantine = group('quarantine', 'authentic callbacks that could not be parsed');
command(
  quarantine,
  'list',
  'list them, newest first',
  'quarantine list',
  async (_, options: import('./commands/quarantine.ts').ListOptions, context) =>
    (await import('./commands/quarantine.ts')).listQuarantine(options, context),
)
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--cursor <cursor>', 'go on where a list ended');
command(
  quarantine,
  'show <id>',
  'show one, with --reveal its body too',
  'quarantine show qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
  async ([id], options: import('./commands/context.ts').Reveal, context) =>
    (await import('./commands/quarantine.ts')).showQuarantined(id as string, options, context),
).option('--reveal', REVEAL_HELP);
command(
  quarantine,
  'reparse <id>',
  'try one again, as if it came in now',
  'quarantine reparse qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
  async ([id], _, context) => (await import('./commands/quarantine.ts')).reparseQuarantined(id as string, context),
);
command(
  quarantine,
  'remove <id>',
  'drop one for good',
  'quarantine remove qrt_x7Vv0J1tq8mC2kQbZ4n9Lw',
  async ([id], _, context) => (await import('./commands/quarantine.ts')).removeQuarantined(id as string, context),
);

command(
  program,
  'setup',
  'what Clickatell has to be told, what has come from it, and what is wrong; exit code 1 when a test does not arrive',
  'setup --test',
  async (_, options: import('./commands/setup.ts').SetupOptions, context) =>
    (await import('./commands/setup.ts')).setup(options, context),
)
  .option('--reveal', 'show the credential; it is written into the audit record')
  .option('--test', 'send a test callback through the public address, and tell of each step')
  .option('--type <type>', 'with --test: which sample', 'moText')
  .option('--deliver', 'with --test: deliver it too, marked as a test, to the webhooks that want it');

command(
  program,
  'doctor',
  'check everything that Clickrelay needs, and say how to mend what is wrong',
  'doctor',
  async (_, __, context) => (await import('./commands/doctor.ts')).doctor(context),
);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = complain(error);
}

/** Says what is wrong on stderr; returns the exit code: 1 when something is wrong, 2 when the command was called wrongly. */
function complain(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { code, message, exitCode } =
    error instanceof CommandError
      ? error
      : error instanceof ConfigError
        ? { code: error.code, message: error.message, exitCode: 1 }
        : { code: 'internal_error', message: (error as Error).stack ?? String(error), exitCode: 1 };
  const text = process.argv.includes('--json')
    ? JSON.stringify({ error: { code, message } })
    : `error: ${printable(message)}`;
  process.stderr.write(`${text}\n`);
  return exitCode;
}
