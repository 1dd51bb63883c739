import type { Config, Environment } from '../config.ts';

/** What every command gets besides its own arguments. */
export interface Context {
  config: Config;
  environment: Environment;
  version: string;
  /** Whether to print JSON instead of text. */
  json: boolean;
  /** Writes to stdout; a line break is added. */
  print: (text: string) => void;
  /** Aborted by Ctrl-C, for commands that run until then. */
  signal: AbortSignal;
}

/** Prints a value as one JSON document, or as the text that `toText` makes of it. */
export const show = <T>(context: Context, value: T, toText: (value: T) => string): void => {
  context.print(context.json ? JSON.stringify(value, null, 2) : toText(value));
};

/** For lists that are shown whole: the largest page, so that few requests are needed. */
export const WHOLE_PAGES = { query: { limit: 500 } } as const;

interface Page {
  readonly items: readonly unknown[];
  readonly next: string | null;
}

/**
 * Reads on to the first page that holds something, or to the last: a filter that chooses few of many events leaves
 * pages empty that have a `next`.
 */
export const firstFilledPage = async <Found extends Page>(
  cursor: string | undefined,
  read: (cursor: string | undefined) => Promise<Found>,
): Promise<Found> => {
  let page = await read(cursor);
  if (page.items.length === 0 && page.next !== null) process.stderr.write('none so far, searching further back\n');
  while (page.items.length === 0 && page.next !== null) page = await read(page.next);
  return page;
};

/** The line below a page of a list: the same command with the same options, for the next page. Empty at the end. */
export const nextPage = (context: Context, words: string, options: object, next: string | null): string => {
  if (next === null) return '';
  const flags = Object.entries<unknown>({ ...options, cursor: next }).flatMap(([name, value]) => {
    if (value === undefined || (name === 'limit' && value === PAGE)) return [];
    return value === true ? [`--${name}`] : [`--${name}`, quoted(String(value))];
  });
  return `\nmore: ${[context.config.CLICKRELAY_COMMAND, words, ...flags].join(' ')}`;
};

/** Quotes a word for a shell. */
const quoted = (word: string): string => (/^[\w.,:/+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** How many a list shows unless `--limit` says otherwise. */
const PAGE = 20;

/** The option of commands that can show personal data. */
export const REVEAL = ['--reveal', 'show what customers wrote and who they are; the audit record notes it'] as const;

/** Options of commands that can show personal data. */
export interface Reveal {
  reveal?: true;
}

/** The query for the API. Without `--reveal` it hides personal data, which `API_KEY` sees by default. */
export const revealed = ({ reveal }: Reveal): { reveal: 'true' | 'false' } => ({ reveal: reveal ? 'true' : 'false' });
