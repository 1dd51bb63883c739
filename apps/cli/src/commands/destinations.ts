import { readFile } from 'node:fs/promises';
import type { AttemptFigures, Destination, DestinationDeclaration } from '@clickrelay/client';
import {
  createDestinationSettings,
  InvalidAdapterError,
  InvalidDestinationsError,
  loadAdapters,
} from '@clickrelay/destination-settings';
import { connectApi } from '../api-client.ts';
import { CommandError, usageError } from '../errors.ts';
import { shortTime, table } from '../format.ts';
import { type Context, type Reveal, revealed, show, WHOLE_PAGES } from './context.ts';

export interface AddOptions {
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

const listOf = (text: string) => text.split(',').map((part) => part.trim());

export const listDestinations = async (context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/destinations', WHOLE_PAGES);
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) {
      return `no destinations yet; add one with \`${context.config.CLICKRELAY_COMMAND} destinations add crm --url https://crm.example.com/clickatell\``;
    }
    const rows = items.map(({ id, type, events, paused, held, url }) => [
      id,
      type,
      events.join(','),
      stateOf({ paused, held }),
      typeof url === 'string' ? url : '',
    ]);
    return table(['DESTINATION', 'TYPE', 'EVENTS', 'STATE', 'URL'], rows);
  });
};

const stateOf = ({ paused, held }: Pick<Destination, 'paused' | 'held'>): string => {
  if (paused !== null) return `paused: ${paused}`;
  return held === null ? 'active' : `held: ${held.reason}, asked again at ${shortTime(held.until)}`;
};

/** Adds a destination, or replaces the one with this id. */
export const addDestination = async (id: string, options: AddOptions, context: Context): Promise<void> => {
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

/** Prints what deliveries are signed with, a line for each live one, and nothing else: for a pipe. */
export const showSecret = async (id: string, context: Context): Promise<void> => {
  const shown = await connectApi(context.config).call('GET /v1/destinations/{id}/secret', { path: { id } });
  show(context, shown, ({ secret }) =>
    [secret]
      .flat()
      .map((one) => (typeof one === 'string' ? one : one.secret))
      .join('\n'),
  );
};

/** One destination with all its settings, and how its attempts went. */
export const showDestination = async (id: string, context: Context): Promise<void> => {
  const api = connectApi(context.config);
  const destination = await api.call('GET /v1/destinations/{id}', { path: { id } });
  const { sum } = await api.call('GET /v1/destinations/{id}/hours', { path: { id } });
  show(context, destination, ({ paused, held, ...settings }) => {
    const rows = Object.entries(settings).map(([name, value]) => [name, settingText(value)]);
    const first = [
      ['state', stateOf({ paused, held })],
      ['last 24h', attemptsText(sum)],
    ];
    const width = Math.max(...[...first, ...rows].map(([name = '']) => name.length));
    return [...first, ...rows].map(([name = '', value]) => `${name.padEnd(width)}  ${value}`).join('\n');
  });
};

const attemptsText = ({ delivered, failed, deliveredShare, firstTryShare, p95Ms }: AttemptFigures): string => {
  if (deliveredShare === null) return 'no attempts';
  return [
    `${delivered + failed} attempts`,
    `${percent(deliveredShare)} delivered`,
    ...(firstTryShare === null ? [] : [`${percent(firstTryShare)} of those at first try`]),
    `95 % within ${p95Ms} ms`,
  ].join(', ');
};

/** Rounded down: 100 % is said of all only. */
const percent = (share: number): string => `${Math.floor(share * 10_000) / 100} %`;

const settingText = (value: unknown): string => {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** Makes a new secret; the old one signs too for a while. */
export const rotateSecret = async (id: string, keepOldFor: string, context: Context): Promise<void> => {
  const rotated = await connectApi(context.config).call('POST /v1/destinations/{id}/rotate-secret', {
    path: { id },
    body: { keepOldFor },
  });
  show(context, rotated, ({ secrets, oldUntil }) => {
    const old = oldUntil === null ? 'the old one has ended' : `the old one signs too until ${shortTime(oldUntil)}`;
    return [...secrets.map((secret) => `${id} is signed with ${secret} from now on`), old].join('\n');
  });
};

/** Sends it a sample. @returns exit code 1 when it is not accepted */
export const testDestination = async (id: string, type: string, context: Context): Promise<number> => {
  const result = await connectApi(context.config).call('POST /v1/destinations/{id}/test', {
    path: { id },
    // The API says which there are.
    body: { type: type as 'moText' },
  });
  show(context, result, ({ delivered, status, durationMs, response, error }) => {
    const took = `after ${durationMs} ms`;
    const first = delivered
      ? `${id} took a ${type} and answered ${status} ${took}`
      : `${id} did not take a ${type}: ${error?.message} (${took})`;
    return [first, ...(response === '' ? [] : response.split('\n').map((line) => `  | ${line}`))].join('\n');
  });
  return result.delivered ? 0 : 1;
};

/** Makes the registry hold what a file declares. */
export const applyDestinations = async (
  { file, dryRun }: { file: string; dryRun?: boolean },
  context: Context,
): Promise<void> => {
  const text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${file} cannot be read (${error.code}); name a YAML file with a list of destinations`);
  });
  const declared = await readDeclarations(text, file, context.config.ADAPTERS);
  const body = { destinations: declared, dryRun: dryRun ?? false };
  const applied = await connectApi(context.config).call('POST /v1/destinations/apply', { body });
  show(context, applied, ({ items }) => {
    const lines = items.map(({ id, change, fields, madeSecret }) => {
      const what = change === 'changed' ? `changed (${fields.join(', ')})` : change;
      const secret = madeSecret
        ? `; \`${context.config.CLICKRELAY_COMMAND} destinations secret ${id}\` shows its new secret`
        : '';
      return `${id}: ${dryRun ? what.replace(/^(added|changed)/, 'would be $1') : what}${secret}`;
    });
    return lines.length === 0 ? `${file} declares no destination` : lines.join('\n');
  });
};

const readDeclarations = async (text: string, file: string, adapters: readonly string[]) => {
  try {
    return createDestinationSettings(await loadAdapters(adapters)).parseFile(text, file);
  } catch (error) {
    if (!(error instanceof InvalidAdapterError || error instanceof InvalidDestinationsError)) throw error;
    throw new CommandError(error.code, error.message, { cause: error });
  }
};

/** Why an event went to a destination, or did not. */
export const matchDestination = async (
  id: string,
  { event: eventId, ...options }: Reveal & { event: string },
  context: Context,
): Promise<void> => {
  const match = await connectApi(context.config).call('GET /v1/destinations/{id}/match', {
    path: { id },
    query: { event: eventId, ...revealed(options) },
  });
  show(context, match, ({ wanted, rules, delivery }) => {
    const rows = rules.map(({ rule, passed, detail }) => [rule, passed ? 'yes' : 'NO', detail]);
    const verdict = `${id} ${wanted ? 'wants' : 'does not want'} ${eventId}`;
    const became = delivery === null ? 'it was never sent there' : `it is ${delivery.state.replace('_', ' ')} there`;
    return `${table(['RULE', 'PASSED', 'DETAIL'], rows)}\n\n${verdict}; ${became}`;
  });
};

export const removeDestination = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/destinations/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed`);
};

export const pauseDestination = async (id: string, reason: string | undefined, context: Context): Promise<void> => {
  const destination = await connectApi(context.config).call('POST /v1/destinations/{id}/pause', {
    path: { id },
    body: reason === undefined ? {} : { reason },
  });
  show(context, destination, () => `${id} is paused; what is for it waits`);
};

export const resumeDestination = async (id: string, context: Context): Promise<void> => {
  const destination = await connectApi(context.config).call('POST /v1/destinations/{id}/resume', { path: { id } });
  show(context, destination, () => `${id} is active again`);
};
