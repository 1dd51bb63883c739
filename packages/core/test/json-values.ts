import fc from 'fast-check';

/** Ways to write the same JSON: whitespace, escapes, order of keys. */
export interface Writer {
  write(value: unknown): string;
}

/** A writer that spells one value differently each time. It keeps the order of keys unless told to shuffle. */
export const writers = ({ shuffle }: { shuffle: boolean }): fc.Arbitrary<Writer> =>
  fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 }).map((choices) => {
    let turn = 0;
    const choose = (options: number) => ((choices[turn++ % choices.length] as number) + turn) % options;
    const space = () => ['', '', '', ' ', '\n', '\t', '\r', ' \n\t'][choose(8)] as string;
    const character = (unit: string) => {
      const code = unit.charCodeAt(0);
      const hex = code.toString(16).padStart(4, '0');
      if (code >= 0xd800 && code <= 0xdfff) return `\\u${hex}`;
      switch (choose(8)) {
        case 0:
          return `\\u${hex}`;
        case 1:
          return `\\u${hex.toUpperCase()}`;
        case 2:
          return unit === '/' ? '\\/' : JSON.stringify(unit).slice(1, -1);
        default:
          return JSON.stringify(unit).slice(1, -1);
      }
    };
    const string = (value: string) => `"${value.split('').map(character).join('')}"`;
    const write = (value: unknown): string => {
      if (typeof value === 'string') return string(value);
      if (Object.is(value, -0)) return '-0';
      if (typeof value !== 'object' || value === null) return JSON.stringify(value);
      if (Array.isArray(value)) return `[${space()}${value.map(write).join(`${space()},${space()}`)}${space()}]`;
      const members = Object.entries(value).map(([key, inner]) => `${string(key)}${space()}:${space()}${write(inner)}`);
      if (shuffle) members.sort(() => choose(3) - 1);
      return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`;
    };
    return { write: (value) => `${space()}${write(value)}${space()}` };
  });

/** Any JSON value, strings of any characters, keys that look like prototypes' included. */
export const anyJson: fc.Arbitrary<unknown> = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 });

/** Whether a value holds a key named `__proto__`, which callbacks must not. */
export const holdsProtoKey = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(holdsProtoKey);
};

/** Whether a value holds -0, which JSON.stringify writes as 0. */
export const holdsMinusZero = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0);
  return Object.values(value).some(holdsMinusZero);
};

/** Whether two JSON values are the same, compared without the code that makes ids. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      Object.hasOwn(b, key) && sameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
};
