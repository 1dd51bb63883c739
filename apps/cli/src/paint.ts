import { styleText } from 'node:util';

type Style = 'bold' | 'green' | 'yellow' | 'red';

/** Colours a text for a terminal. A pipe, a file and `NO_COLOR` get it plain; `FORCE_COLOR` colours it everywhere. */
export const paint = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(style, text, { stream });

const isPainting = paint('bold', 'x') !== 'x';

/** What `paint` writes, and any other control character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
const CONTROLS = /(\u001B\[(?:1|22|3[1239])m)|[^\P{Cc}\n\t]/gu;

/**
 * Replaces control characters: text from the network may hold sequences that a terminal obeys. Only our own colours
 * pass, where there are any.
 */
export const printable = (text: string): string =>
  text.replaceAll(CONTROLS, (_, ours?: string) => (isPainting && ours) || '\uFFFD');
