/** Amounts as people say them. */

const SECOND_MS = 1_000;
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', SECOND_MS],
] as const;
const SIZES = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1 delivery`, `2 deliveries`. */
export const amount = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** `1 delivery waits`, `2 deliveries wait`. */
export const deliveriesWait = (count: number): string => `${amount(count, 'delivery', 'deliveries')} ${waits(count)}`;

/** `12 groups of messages wait`. */
export const groupsWait = (count: number, lane: string): string =>
  `${amount(count, 'group')} of ${lane} ${waits(count)}`;

const waits = (count: number): string => (count === 1 ? 'waits' : 'wait');

/** The verb for so many. */
export const isAre = (count: number): string => (count === 1 ? 'is' : 'are');

/** The largest unit of which there are two, or one exactly: `1 minute`, `90 seconds`, `26 minutes`, `36 hours`. */
export const duration = (ms: number): string => {
  const left = Math.max(ms, 0);
  if (left < SECOND_MS) return `${Math.round(left)} ms`;
  const [unit, size] = UNITS.find(([, size]) => left >= 2 * size || left === size) ?? ['second', SECOND_MS];
  const precise = unit === 'second' && left < 10 * SECOND_MS ? Math.floor(left / 100) / 10 : Math.floor(left / size);
  return amount(precise, unit);
};

/** `512 bytes`, `1.5 GiB`. */
export const size = (bytes: number): string => {
  const power = Math.min(Math.max(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 0), SIZES.length - 1);
  const value = Math.max(bytes, 0) / 1024 ** power;
  return `${value < 100 && power > 0 ? Math.floor(value * 10) / 10 : Math.floor(value)} ${SIZES[power]}`;
};

/** `82 %`, never more than there is. */
export const percent = (share: number): string => `${Math.floor(share * 100 + 1e-9)} %`;

/** `a`, `a and b`, `a, b and c`. */
export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** A code of an error, in brackets behind a sentence; nothing for what is none: it may be a text of somebody. */
export const because = (code: string | null): string =>
  code !== null && /^(?:[a-z]+(?:_[a-z]+)*|[A-Z][A-Z_]*|[1-5]\d\d)$/.test(code) ? ` (${code})` : '';
