import { type Command, InvalidArgumentError, Option } from 'commander';

export const wholeNumber = (text: string): number => {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return Number(text);
};

export const naturalNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

export const share = (text: string): number => {
  const value = Number(text);
  if (text === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return value;
};

export const rate = (text: string): number => {
  const value = Number(text);
  if (text === '' || !(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

/** Splits at commas. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** An option that takes one of these words, with spaces or `-` for `_` too: `'not built'`. Shells complete it. */
export const oneOf = (flags: string, about: string, words: readonly string[]): Option =>
  new Option(flags, about).choices([...words]).argParser((text) => {
    const word = text.trim().toLowerCase().replaceAll(/[ -]/g, '_');
    if (!words.includes(word)) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return word;
  });

/** Adds `--since` and `--until`. @param what whose time they are about: `those that failed` */
export const addSpan = (command: Command, what: string): Command =>
  command
    .option('--since <when>', `only ${what} since: an age (15m, 72h, 7d) or a date in UTC`)
    .option('--until <when>', `only ${what} before: an age or a date in UTC`);
