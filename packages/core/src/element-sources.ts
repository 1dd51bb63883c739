// Reads JSON text without building values. JSON.parse has accepted the text, or, for the two bounds, may still refuse
// it.

const QUOTE = 34; // "
const COMMA = 44; // ,
const BACKSLASH = 92; // \
const OPEN_ARRAY = 91; // [
const CLOSE_ARRAY = 93; // ]
const OPEN_OBJECT = 123; // {
const CLOSE_OBJECT = 125; // }

/**
 * Cuts out the JSON text of every element of every array of a callback's `event` object, by event type. The text keeps
 * what a parser loses: integers beyond 2^53, duplicate keys, the spelling of numbers.
 * The last of several equal keys wins, as with JSON.parse.
 *
 * @param text a callback that JSON.parse has accepted and whose `event` is an object of arrays
 */
export const elementSources = (text: string): Map<string, string[]> => {
  let sources = new Map<string, string[]>();
  eachMember(text, skipSpace(text, 0), (key, at) => {
    if (key !== 'event' || text.charCodeAt(at) !== OPEN_OBJECT) return skipValue(text, at);
    sources = new Map();
    return eachMember(text, at, (type, start) => {
      if (text.charCodeAt(start) !== OPEN_ARRAY) return skipValue(text, start);
      const elements: string[] = [];
      sources.set(type, elements);
      return eachElement(text, start, elements);
    });
  });
  return sources;
};

/**
 * The JSON text of one member of an object, as it was written; undefined when there is none. The last of several wins.
 * @param text an object that JSON.parse has accepted
 */
export const memberSource = (text: string, name: string): string | undefined => {
  let source: string | undefined;
  eachMember(text, skipSpace(text, 0), (key, at) => {
    const end = skipValue(text, at);
    if (key === name) source = text.slice(at, end);
    return end;
  });
  return source;
};

/**
 * Whether objects and arrays nest deeper than a bound. Safe on any text, even if it is not JSON: this runs before the
 * parser, because a body of nothing but brackets takes many times its own size in memory once parsed.
 */
export const nestsDeeperThan = (bound: number, text: string): boolean => {
  // Nearly every callback has fewer brackets than the bound, and `indexOf` counts them many times faster than this
  // loop.
  if (count('{', text, bound) + count('[', text, bound) <= bound) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = skipString(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (++depth > bound) return true;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
  }
  return false;
};

/**
 * Whether there are more values than a bound. Counts opening brackets and commas, so the first value of a container
 * counts together with it. Safe on any text, and run before the parser, for the same reason as `nestsDeeperThan`.
 */
export const holdsMoreValuesThan = (bound: number, text: string): boolean => {
  // Each value takes at least two characters, itself and a separator, so bodies of usual size return here.
  if (text.length <= 2 * bound) return false;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = skipString(text, at) - 1;
    else if (code === COMMA || code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (++values > bound) return true;
    }
  }
  return false;
};

/** Counts a character; stops counting above `most`. */
const count = (character: string, text: string, most: number): number => {
  let found = 0;
  for (let at = text.indexOf(character); at !== -1 && found <= most; at = text.indexOf(character, at + 1)) found++;
  return found;
};

/** Visits the members of the object at `at`. The visitor gets the start of the value and returns its end. */
const eachMember = (text: string, at: number, visit: (key: string, valueAt: number) => number): number => {
  let next = skipSpace(text, at + 1);
  while (text.charCodeAt(next) === QUOTE) {
    const keyEnd = skipString(text, next);
    const key = readKey(text, next, keyEnd);
    const colon = skipSpace(text, keyEnd);
    next = skipSpace(text, visit(key, skipSpace(text, colon + 1)));
    if (text.charCodeAt(next) === COMMA) next = skipSpace(text, next + 1);
  }
  return next + 1;
};

/** Collects the elements of the array at `at`; returns the end of the array. */
const eachElement = (text: string, at: number, elements: string[]): number => {
  let next = skipSpace(text, at + 1);
  while (next < text.length && text.charCodeAt(next) !== CLOSE_ARRAY) {
    const end = skipValue(text, next);
    elements.push(text.slice(next, end));
    next = skipSpace(text, end);
    if (text.charCodeAt(next) === COMMA) next = skipSpace(text, next + 1);
  }
  return next + 1;
};

/** The end of the value that starts at `at`. */
const skipValue = (text: string, at: number): number => {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return skipLiteral(text, at);
  let depth = 0;
  let next = at;
  while (next < text.length) {
    const code = text.charCodeAt(next);
    if (code === QUOTE) {
      next = skipString(text, next);
      continue;
    }
    next++;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return next;
  }
  return next;
};

/** The end of a number, `true`, `false` or `null`. */
const skipLiteral = (text: string, at: number): number => {
  let next = at;
  while (next < text.length) {
    const code = text.charCodeAt(next);
    if (code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT || code <= 32) break;
    next++;
  }
  return next;
};

/** Strings up to this length are read character by character; longer ones (megabytes of base64) by a native search. */
const SHORT_STRING = 64;

/** The end of the string whose opening quote is at `at`; the end of the text when it is never closed. */
const skipString = (text: string, at: number): number => {
  let next = at + 1;
  const short = Math.min(text.length, next + SHORT_STRING);
  while (next < short) {
    const code = text.charCodeAt(next);
    if (code === QUOTE) return next + 1;
    next += code === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = text.indexOf('"', next);
    if (quote === -1) return text.length;
    // The quote is escaped when an odd number of backslashes precedes it; count back no further than already read.
    let run = quote;
    while (run > next && text.charCodeAt(run - 1) === BACKSLASH) run--;
    if ((quote - run) % 2 === 0) return quote + 1;
    next = quote + 1;
  }
};

const skipSpace = (text: string, at: number): number => {
  let next = at;
  while (text.charCodeAt(next) <= 32) next++;
  return next;
};

const readKey = (text: string, start: number, end: number): string => {
  const key = text.slice(start + 1, end - 1);
  return key.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : key;
};
