import type { Command, Option } from 'commander';

/** A word that may come next, and what it means. */
export interface Suggestion {
  readonly word: string;
  readonly about: string;
}

/**
 * What the last of these words may become, in the order of the help. The words before it are complete.
 * @param listDestinations the ids of destinations, for arguments and options that take one
 */
export const suggest = async (
  program: Command,
  words: readonly string[],
  listDestinations: () => Promise<readonly string[]>,
): Promise<Suggestion[]> => {
  const { command, option } = walk(program, words.slice(0, -1));
  const last = words.at(-1) ?? '';
  // bash makes three words of `--kind=refused`, other shells one.
  const typed = last === '=' ? '' : last;
  const [, name = '', begun] = /^(--[\w-]+)=(.*)$/.exec(typed) ?? [];
  const inWord = begun === undefined ? undefined : optionsOf(command).find(isNamed(name));
  const found = async (): Promise<Suggestion[]> => {
    if (inWord !== undefined) {
      const values = await valuesOf(inWord, listDestinations);
      return values.map((word) => ({ word: `${name}=${word}`, about: '' }));
    }
    if (option !== undefined) return (await valuesOf(option, listDestinations)).map((word) => ({ word, about: '' }));
    if (typed.startsWith('-'))
      return optionsOf(command).map((one) => ({ word: one.long ?? '', about: one.description }));
    const names = command.createHelp().visibleCommands(command);
    if (names.length > 0) return names.map((one) => ({ word: one.name(), about: one.description() }));
    const argument = command.registeredArguments.at(0)?.name();
    const takesDestination =
      argument === 'destination' || (argument === 'id' && command.parent?.name() === 'destinations');
    return takesDestination ? (await listDestinations()).map((word) => ({ word, about: '' })) : [];
  };
  return (await found()).filter(({ word }) => word.startsWith(typed));
};

/** The command that these words name, and the option among them that still waits for its value. */
const walk = (program: Command, words: readonly string[]): { command: Command; option: Option | undefined } => {
  let command = program;
  let option: Option | undefined;
  for (const word of words) {
    if (word === '=') continue;
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-')) {
      const given = optionsOf(command).find(isNamed(word));
      if (given !== undefined && takesValue(given)) option = given;
    } else command = command.commands.find((one) => one.name() === word) ?? command;
  }
  return { command, option };
};

const isNamed =
  (word: string) =>
  ({ long, short }: Option): boolean =>
    long === word || short === word;

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** A group on its own is its `list`. */
const optionsOf = (command: Command): readonly Option[] => {
  const list = command.commands.find((one) => one.name() === 'list');
  return [command, ...(list === undefined ? [] : [list])].flatMap((one) => one.createHelp().visibleOptions(one));
};

const valuesOf = async (
  option: Option,
  listDestinations: () => Promise<readonly string[]>,
): Promise<readonly string[]> =>
  option.argChoices ?? (option.attributeName() === 'destination' ? await listDestinations() : []);
