import stringWidth from 'string-width';

/** Between two columns. */
export const GAP = 2;
/** A column of words is shortened to this at the least; below it, each row becomes a block of lines. */
const LEAST_WORDS = 12;

/** How much a line may take: the columns of the terminal. A pipe or a file has no end. */
export const lineWidth = (): number => (process.stdout.isTTY ? process.stdout.columns : 0) || Number.POSITIVE_INFINITY;

/**
 * The width of each column of a table. When the line is too short, columns of several words give way, the widest first,
 * and never one of single words: an id or a time can always be copied.
 * @returns undefined when they do not fit
 */
export const fitColumns = (rows: readonly (readonly string[])[], width: number): number[] | undefined => {
  const cellsOf = (column: number): string[] => rows.map((row) => row[column] ?? '');
  const columns = (rows[0] ?? []).map((_, column) => column);
  const widths = columns.map((column) => Math.max(...cellsOf(column).map((cell) => stringWidth(cell))));
  const mayGive = columns.filter((column) => cellsOf(column).some((cell) => cell.includes(' ')));
  const room = width - GAP * (columns.length - 1);
  for (;;) {
    const over = widths.reduce((sum, one) => sum + one, 0) - room;
    if (over <= 0) return widths;
    const [widest, second] = mayGive
      .filter((column) => (widths[column] ?? 0) > LEAST_WORDS)
      .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (widest === undefined) return undefined;
    // Down to just below the next one, which then gives way in its turn.
    const least = Math.max(LEAST_WORDS, second === undefined ? 0 : (widths[second] ?? 0) - 1);
    widths[widest] = Math.max((widths[widest] ?? 0) - over, least);
  }
};

const graphemes = new Intl.Segmenter();

/** Cuts a text to a width, and says so with `…`. A letter is never cut in two, however many characters make it. */
export const shorten = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
};

/** Pads a text to a width, in which a wide letter counts twice. */
export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(width - stringWidth(text), 0));
