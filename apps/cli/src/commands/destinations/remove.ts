import type { Command } from 'commander';
import { type Api, connectApi } from '../../api-client.ts';
import { naturalNumber } from '../../arguments.ts';
import { ask, canAsk } from '../../ask.ts';
import { addCommand } from '../../command.ts';
import { CommandError, hinting } from '../../errors.ts';
import { type Context, show } from '../context.ts';

export const registerRemove = (destinations: Command): Command =>
  addCommand(destinations, {
    usage: 'remove <id>',
    about: 'remove a destination with its pending deliveries and dead letters',
    example: 'destinations remove crm',
    run: ([id], options: RemoveOptions, context) => removeDestination(id as string, options, context),
  })
    .option('--expected <n>', 'how many deliveries and dead letters may be lost with it', naturalNumber)
    .option('--yes', 'whatever is lost with it');

interface RemoveOptions {
  expected?: number;
  yes?: true;
}

const removeDestination = async (id: string, { expected, yes }: RemoveOptions, context: Context): Promise<void> => {
  const api = connectApi(context.config);
  const mayBeLost = yes ? Number.MAX_SAFE_INTEGER : (expected ?? (canAsk() ? await askForLoss(api, id) : 0));
  const removal = api.call('DELETE /v1/destinations/{id}', { path: { id }, query: { expected: mayBeLost } });
  await hinting(removal, { unexpected_count: 'with this command: --expected <that number>, or --yes' });
  show(context, { removed: id }, () => `${id} is removed`);
};

/** Says what is lost. @returns how much of it the person at the terminal means to lose */
const askForLoss = async (api: Api, id: string): Promise<number> => {
  const { destinations } = await api.call('GET /v1/status');
  const { waiting = 0, delayed = 0, active = 0, deadLetters = 0 } = destinations.find((one) => one.id === id) ?? {};
  const pending = waiting + delayed + active;
  const lost = pending + deadLetters;
  if (lost === 0) return 0;
  const question = `${pending} pending deliveries and ${deadLetters} dead letters of ${id} will be lost for good.`;
  const answer = await ask(`${question} Enter their number, ${lost}, to remove it: `);
  if (answer.trim() !== String(lost)) throw new CommandError('not_confirmed', `${id} is not removed`);
  return lost;
};
