import type { Condition } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand, addGroup } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';
import { showConditions } from '../show-conditions.ts';
import { shortTime } from '../time.ts';
import { type Context, show } from './context.ts';

export const registerHealth = (program: Command): void => {
  const group = addGroup(program, 'health', 'see what is wrong, and say that somebody knows of it');
  addCommand(group, {
    usage: 'list',
    about: 'list what is wrong, the worst first',
    example: 'health list',
    run: async (_, __, context) => {
      const health = await connectApi(context.config).call('GET /v1/health');
      const { CLICKRELAY_COMMAND: command } = context.config;
      show(context, health, ({ conditions }) => showConditions({ conditions, command }));
    },
  });
  addCommand(group, {
    usage: 'ack <code> [subject]',
    about: 'say that somebody knows of a condition: it alerts nobody, until a time or until it ends',
    example: 'health ack destination_failing crm --for 2h',
    run: ([code = '', id], options: AckOptions, context) => acknowledge(code, id, options, context),
  }).option('--for <duration>', 'for so long, 30d at most; otherwise until it ends');
};

interface AckOptions {
  for?: string;
}

const acknowledge = async (
  code: string,
  id: string | undefined,
  { for: span }: AckOptions,
  context: Context,
): Promise<void> => {
  const api = connectApi(context.config);
  const { conditions } = await api.call('GET /v1/health');
  const { subject } = choose(conditions, code, id);
  const found = await api.call('POST /v1/health/acknowledge', { body: { code, subject, for: span ?? null } });
  show(context, found, ({ acknowledged }) => {
    const until = acknowledged?.until;
    return `${nameOf(found)} is known${until == null ? ' until it ends' : ` until ${shortTime(until)}`}`;
  });
};

const nameOf = ({ code, subject: { id } }: Condition): string => (id === null ? code : `${code} ${id}`);

/** @throws {CommandError} when there is none now, or more than one */
const choose = (conditions: readonly Condition[], code: string, id: string | undefined): Condition => {
  const ofCode = conditions.filter((one) => one.code === code);
  const chosen = ofCode.filter(({ subject }) => id === undefined || subject.id === id);
  const [first] = chosen;
  if (first !== undefined && chosen.length === 1) return first;
  const present = (ofCode.length === 0 ? conditions : ofCode).map(nameOf).join(', ');
  const message =
    chosen.length > 1
      ? `there are ${chosen.length} ${code}; say which: ${present}`
      : `there is no ${[code, id].filter(Boolean).join(' ')} now; there is ${present || 'nothing'}`;
  const exitCode = chosen.length > 1 ? EXIT.usage : EXIT.notFound;
  throw new CommandError(chosen.length > 1 ? 'usage' : 'condition_not_present', message, { exitCode });
};
