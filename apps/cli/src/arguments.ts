import { InvalidArgumentError } from 'commander';

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
export const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());
