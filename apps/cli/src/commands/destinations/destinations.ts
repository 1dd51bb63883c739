import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { addCommand, addGroup } from '../../command.ts';
import { shortTime, table } from '../../format.ts';
import { type Context, REVEAL, type Reveal, revealed, show, WHOLE_PAGES } from '../context.ts';
import { registerAdd } from './add.ts';
import { registerApply } from './apply.ts';
import { registerRemove } from './remove.ts';
import { showDestination, stateOf } from './show.ts';
import { registerUpdate } from './update.ts';

export const registerDestinations = (program: Command): void => {
  const destinations = addGroup(program, 'destinations', 'where events go');
  addCommand(destinations, {
    usage: 'list',
    about: 'list destinations',
    example: 'destinations list',
    run: (_, __, context) => listDestinations(context),
  });
  registerAdd(destinations);
  registerUpdate(destinations);
  addCommand(destinations, {
    usage: 'secret <id>',
    about: 'print the secret that signs its deliveries',
    example: 'destinations secret crm',
    run: ([id], _, context) => showSecret(id as string, context),
  });
  addCommand(destinations, {
    usage: 'show <id>',
    about: 'show one destination with all its settings',
    example: 'destinations show crm',
    run: ([id], _, context) => showDestination(id as string, context),
  });
  addCommand(destinations, {
    usage: 'rotate-secret <id>',
    about: 'sign with a new secret, and with the old one too for a while',
    example: 'destinations rotate-secret crm --keep-old-for 7d',
    run: ([id], { keepOldFor }: { keepOldFor: string }, context) => rotateSecret(id as string, keepOldFor, context),
  }).option('--keep-old-for <duration>', 'how long the old one signs too; 0s if it leaked', '24h');
  addCommand(destinations, {
    usage: 'test <id>',
    about: 'send it a sample marked as a test; exit code 1 if it does not accept it',
    example: 'destinations test crm --type moText',
    run: ([id], { type }: { type: string }, context) => testDestination(id as string, type, context),
  }).option('--type <type>', 'which sample', 'moText');
  registerApply(destinations);
  addCommand(destinations, {
    usage: 'match <id>',
    about: 'say why an event goes to a destination, or does not',
    example: 'destinations match crm --event evt_gZk8OE8kcICakMMPI1UTIK',
    run: ([id], options: Reveal & { event: string }, context) => matchDestination(id as string, options, context),
  })
    .requiredOption('--event <id>', 'evt_… of an event in the log')
    .option(...REVEAL);
  registerRemove(destinations);
  addCommand(destinations, {
    usage: 'pause <id>',
    about: 'send it nothing until it is resumed; its events wait',
    example: "destinations pause crm --reason 'moving house'",
    run: ([id], { reason }: { reason?: string }, context) => pauseDestination(id as string, reason, context),
  }).option('--reason <text>', 'the reason, shown in lists');
  addCommand(destinations, {
    usage: 'resume <id>',
    about: 'send to it again',
    example: 'destinations resume crm',
    run: ([id], _, context) => resumeDestination(id as string, context),
  });
};

const listDestinations = async (context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/destinations', WHOLE_PAGES);
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) {
      const example = 'destinations add crm --url https://crm.example.com/clickatell';
      return `no destinations yet; add one with \`${context.config.CLICKRELAY_COMMAND} ${example}\``;
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

/** Prints the live secrets, one on each line, and nothing else, so that the output can be piped. */
const showSecret = async (id: string, context: Context): Promise<void> => {
  const shown = await connectApi(context.config).call('GET /v1/destinations/{id}/secret', { path: { id } });
  show(context, shown, ({ secrets }) => secrets.map(({ secret }) => secret).join('\n'));
};

/** Makes a new secret. The old one signs too for a while. */
const rotateSecret = async (id: string, keepOldFor: string, context: Context): Promise<void> => {
  const rotated = await connectApi(context.config).call('POST /v1/destinations/{id}/rotate-secret', {
    path: { id },
    body: { keepOldFor },
  });
  show(context, rotated, ({ secrets, oldUntil }) => {
    const old = oldUntil === null ? 'the old one has ended' : `the old one signs too until ${shortTime(oldUntil)}`;
    return [...secrets.map(({ secret }) => `${id} is signed with ${secret} from now on`), old].join('\n');
  });
};

/** Sends a sample. @returns exit code 1 if the destination does not accept it */
const testDestination = async (id: string, type: string, context: Context): Promise<number> => {
  const result = await connectApi(context.config).call('POST /v1/destinations/{id}/test', {
    path: { id },
    // The API checks it.
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

/** Shows why an event went to a destination, or did not. */
const matchDestination = async (
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

const pauseDestination = async (id: string, reason: string | undefined, context: Context): Promise<void> => {
  const destination = await connectApi(context.config).call('POST /v1/destinations/{id}/pause', {
    path: { id },
    body: reason === undefined ? {} : { reason },
  });
  show(context, destination, () => `${id} is paused; its events wait`);
};

const resumeDestination = async (id: string, context: Context): Promise<void> => {
  const destination = await connectApi(context.config).call('POST /v1/destinations/{id}/resume', { path: { id } });
  show(context, destination, () => `${id} is active again`);
};
