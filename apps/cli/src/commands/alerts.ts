import type { AlertChannel, RequestOf } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { listOf, wholeNumber } from '../arguments.ts';
import { addCommand, addGroup } from '../command.ts';
import { usageError } from '../errors.ts';
import { shortTime, table } from '../format.ts';
import { type Context, nextPage, show, WHOLE_PAGES } from './context.ts';

export const registerAlerts = (program: Command): void => {
  const alerts = addGroup(program, 'alerts', 'who is told when something is wrong');
  addCommand(alerts, {
    usage: 'list',
    about: 'list the channels, and which of them take nothing',
    example: 'alerts list',
    run: (_, __, context) => listChannels(context),
  });
  addCommand(alerts, {
    usage: 'add <id>',
    about: 'add a channel, or replace all its settings but URL and secret',
    example: "alerts add ops --type slack --url https://hooks.slack.com/services/… --codes 'destination_*'",
    run: ([id], options: AddOptions, context) => addChannel(id as string, options, context),
  })
    .requiredOption('--type <type>', 'webhook, slack (also Mattermost, Rocket.Chat), teams or discord')
    .option('--url <url>', 'where messages are POSTed; a secret (default: the one it has)')
    .option('--secret <secret>', 'of a webhook: the whsec_… to sign with (default: the one it has, or a new one)')
    .option('--severities <names>', 'critical, warning; comma-separated (default: both)')
    .option('--codes <globs>', 'conditions, comma-separated; * stands for any characters (default: all)')
    .option('--group-wait <duration>', 'how long the first news waits for more (default: 30s)')
    .option('--group-interval <duration>', 'the least time between two messages (default: 5m)')
    .option('--repeat-critical <duration>', 'when to tell it again (default: 4h)')
    .option('--repeat-warning <duration>', 'when to tell it again (default: 24h)')
    .option('--quiet <span>', 'hold warnings back at these hours: 22:00-07:00')
    .option('--quiet-days <days>', 'the days on which they begin: mon,tue,wed,thu,fri,sat,sun (default: all)')
    .option('--quiet-critical', 'hold back what is critical too')
    .option('--time-zone <zone>', 'of the quiet hours, such as Africa/Johannesburg')
    .option('--no-resolved', 'do not tell when something has ended');
  addCommand(alerts, {
    usage: 'remove <id>',
    about: 'remove a channel',
    example: 'alerts remove ops',
    run: ([id], _, context) => removeChannel(id as string, context),
  });
  addCommand(alerts, {
    usage: 'test <id>',
    about: 'send it a test; exit code 1 if it does not take it',
    example: 'alerts test ops',
    run: ([id], _, context) => testChannel(id as string, context),
  });
  addCommand(alerts, {
    usage: 'log',
    about: 'list the last 500 alerts: what, to whom, and what came of it, newest first',
    example: 'alerts log --limit 50',
    run: (_, options: LogOptions, context) => listSent(options, context),
  })
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--cursor <cursor>', 'continue where the last page ended');
};

type Declaration = RequestOf<'PUT /v1/alerts/channels/{id}'>['body'];

interface AddOptions {
  type: string;
  url?: string;
  secret?: string;
  severities?: string;
  codes?: string;
  groupWait?: string;
  groupInterval?: string;
  repeatCritical?: string;
  repeatWarning?: string;
  quiet?: string;
  quietDays?: string;
  quietCritical?: true;
  timeZone?: string;
  resolved: boolean;
}

const quietOf = ({ quiet, quietDays, quietCritical, timeZone }: AddOptions): object => {
  if (quiet === undefined) {
    const isAlone = quietDays !== undefined || quietCritical !== undefined || timeZone !== undefined;
    if (isAlone) throw usageError('--quiet-days, --quiet-critical and --time-zone are about --quiet: give it too');
    return {};
  }
  const [from = '', to = ''] = quiet.split('-');
  if (timeZone === undefined) throw usageError('--quiet needs --time-zone, such as Africa/Johannesburg');
  const days = quietDays === undefined ? {} : { days: listOf(quietDays) };
  return { quiet: { from, to, timeZone, ...days, ...(quietCritical && { critical: true }) } };
};

/** The settings as the API takes them, which also checks them. */
const settingsOf = (options: AddOptions): Declaration => {
  const { type, url, secret, severities, codes, groupWait, groupInterval, repeatCritical, repeatWarning } = options;
  const repeat = {
    ...(repeatCritical !== undefined && { critical: repeatCritical }),
    ...(repeatWarning !== undefined && { warning: repeatWarning }),
  };
  return {
    type,
    ...(url !== undefined && { url }),
    ...(secret !== undefined && { secret }),
    ...(severities !== undefined && { severities: listOf(severities) }),
    ...(codes !== undefined && { codes: listOf(codes) }),
    ...(groupWait !== undefined && { groupWait }),
    ...(groupInterval !== undefined && { groupInterval }),
    ...(Object.keys(repeat).length > 0 && { repeat }),
    ...quietOf(options),
    ...(!options.resolved && { sendResolved: false }),
  } as Declaration;
};

const addChannel = async (id: string, options: AddOptions, context: Context): Promise<void> => {
  const channel = await connectApi(context.config).call('PUT /v1/alerts/channels/{id}', {
    path: { id },
    body: settingsOf(options),
  });
  const { CLICKRELAY_COMMAND: command } = context.config;
  show(context, channel, ({ secret, warnings, ...told }) =>
    [
      `${id} (${told.type}) is told ${toldOf(told)}; try it: ${command} alerts test ${id}`,
      ...(secret?.startsWith('whs') && options.secret === undefined ? [`its secret, shown only now: ${secret}`] : []),
      ...warnings.map((warning) => `warning: ${warning}`),
    ].join('\n'),
  );
};

const toldOf = ({ severities, codes }: Pick<AlertChannel, 'severities' | 'codes'>): string =>
  `${severities.join(' and ')}${codes.includes('*') ? '' : ` of ${codes.join(', ')}`}`;

const quietText = (quiet: AlertChannel['quiet']): string => {
  if (quiet === null) return '';
  const { from, to, days, timeZone, critical } = quiet;
  return [
    `${from}-${to}`,
    ...(days.length < 7 ? [days.join(',')] : []),
    timeZone,
    ...(critical ? ['critical too'] : []),
  ].join(' ');
};

const listChannels = async (context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/alerts/channels', WHOLE_PAGES);
  const { CLICKRELAY_COMMAND: command } = context.config;
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0)
      return `nobody is told when something is wrong; add a channel: ${command} alerts add --help`;
    const rows = items.map(({ id, type, failing, quiet, ...told }) => [
      id,
      type,
      failing === null ? 'works' : `fails since ${shortTime(failing.since)} (${failing.code})`,
      toldOf(told),
      quietText(quiet),
    ]);
    return table(['CHANNEL', 'TYPE', 'STATE', 'IS TOLD', 'QUIET'], rows);
  });
};

const removeChannel = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/alerts/channels/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed; it is told nothing any more`);
};

const testChannel = async (id: string, context: Context): Promise<number> => {
  const result = await connectApi(context.config).call('POST /v1/alerts/channels/{id}/test', { path: { id } });
  show(context, result, ({ delivered, status, error, note }) => {
    const first = delivered ? `${id} took a test and answered ${status}` : `${id} did not take a test: ${error}`;
    return note === null ? first : `${first}; ${note}`;
  });
  return result.delivered ? 0 : 1;
};

interface LogOptions {
  limit: number;
  cursor?: string;
}

const listSent = async (options: LogOptions, context: Context): Promise<void> => {
  const page = await connectApi(context.config).call('GET /v1/alerts', { query: options });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'no alert was sent yet';
    const rows = items.map(({ at, channelId, what, severity, code, subject, status, error, tries }) => [
      shortTime(at),
      channelId,
      what,
      severity,
      code,
      subject.id ?? '',
      error === null ? `${status ?? ''}` : `not taken: ${error}`,
      String(tries),
    ]);
    const head = ['AT', 'CHANNEL', 'WHAT', 'SEVERITY', 'CODE', 'SUBJECT', 'ANSWER', 'TRIES'];
    return table(head, rows) + nextPage(context, 'alerts log', options, next);
  });
};
