import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { oneOf } from '../arguments.ts';
import { suggest } from './suggest.ts';

const program = new Command('clickrelay').helpCommand(false);
const letters = program.command('dead-letters').description('what failed').helpCommand(false);
letters
  .command('list')
  .description('list them')
  .option('--destination <id>', 'of this one')
  .addOption(oneOf('--kind <kind>', 'of this kind', ['refused', 'not_built']))
  .option('--json', 'print JSON');
letters.command('show <id>').description('show one').option('--json', 'print JSON');
program.command('destinations').description('where events go').helpCommand(false).command('show <id>');
program.command('lease <destination>').description('lease by hand');
program.command('complete [words...]', { hidden: true });

const suggested = async (...words: string[]) =>
  (await suggest(program, words, async () => ['crm', 'bot'])).map(({ word }) => word);

describe('what may come next', () => {
  it.each([
    [[''], ['dead-letters', 'destinations', 'lease']],
    [['de'], ['dead-letters', 'destinations']],
    [
      ['dead-letters', ''],
      ['list', 'show'],
    ],
    [['dead-letters', 'l'], ['list']],
    [['dead-letters', '--ki'], ['--kind']],
    [
      ['dead-letters', 'show', '--'],
      ['--json', '--help'],
    ],
    [
      ['dead-letters', 'list', '--kind', ''],
      ['refused', 'not_built'],
    ],
    [['dead-letters', '--kind', 'n'], ['not_built']],
    [['dead-letters', '--kind=n'], ['--kind=not_built']],
    // As bash cuts it.
    [['dead-letters', '--kind', '=', 'n'], ['not_built']],
    [
      ['dead-letters', '--kind', '='],
      ['refused', 'not_built'],
    ],
    [
      ['dead-letters', '--kind', 'refused', '--destination', ''],
      ['crm', 'bot'],
    ],
    [['destinations', 'show', 'c'], ['crm']],
    [
      ['lease', ''],
      ['crm', 'bot'],
    ],
    [['dead-letters', 'show', ''], []],
    [['nonsense', 'x'], []],
  ] as const)('%j: %j', async (words, expected) => {
    expect(await suggested(...words)).toEqual(expected);
  });

  it('is told with what it means', async () => {
    expect(await suggest(program, ['dead-letters', 'l'], async () => [])).toEqual([
      { word: 'list', about: 'list them' },
    ]);
  });
});
