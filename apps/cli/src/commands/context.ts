import type { Config, Environment } from '../config.ts';

/** What every command gets beside its own arguments. */
export interface Context {
  config: Config;
  environment: Environment;
  version: string;
  /** JSON instead of text for people. */
  json: boolean;
  /** Writes to stdout; a line break is added. */
  print: (text: string) => void;
  /** Aborted by Ctrl-C, for commands that go on until then. */
  signal: AbortSignal;
}

/** Prints a value as one JSON document, or as the text that `toText` makes of it. */
export const show = <T>(context: Context, value: T, toText: (value: T) => string): void => {
  context.print(context.json ? JSON.stringify(value, null, 2) : toText(value));
};

/** For lists that are shown whole, however long: as few requests as can be. */
export const WHOLE_PAGES = { query: { limit: 500 } } as const;

/** The line after a page of a list: the same command, with what was chosen, for the next page. Nothing at the end. */
export const nextPage = (context: Context, words: string, options: object, next: string | null): string => {
  if (next === null) return '';
  const flags = Object.entries<unknown>({ ...options, cursor: next }).flatMap(([name, value]) => {
    if (value === undefined || (name === 'limit' && value === PAGE)) return [];
    return value === true ? [`--${name}`] : [`--${name}`, quoted(String(value))];
  });
  return `\nmore: ${[context.config.CLICKRELAY_COMMAND, words, ...flags].join(' ')}`;
};

/** As a shell takes it. */
const quoted = (word: string): string => (/^[\w.,:/+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** How many a list shows unless `--limit` says otherwise. */
const PAGE = 20;

/** The option of commands that show what customers wrote, and who they are. */
export const REVEAL = [
  '--reveal',
  'show what customers wrote and who they are; it is written into the audit record',
] as const;

/** Of commands that show what customers wrote, and who they are. */
export interface Reveal {
  reveal?: true;
}

/** As the API takes it: without `--reveal` not even `API_KEY` is shown it. */
export const revealed = ({ reveal }: Reveal): { reveal: 'true' | 'false' } => ({ reveal: reveal ? 'true' : 'false' });
