import { z } from 'zod';

const MOST_HEADERS = 32;
const MAX_NAME_LENGTH = 64;
/** Some servers refuse more than 8 KB of headers in total. */
const MAX_VALUE_LENGTH = 4096;

/** Headers that decide how the request travels, and headers that the delivery sets itself. */
const OURS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);
const OUR_PREFIXES = ['webhook-', 'ce-', 'clickrelay-', 'proxy-'];

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII with spaces in between, which every server reads alike (RFC 9110, section 5.5). */
const VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

/** Says what is wrong with a header, or undefined when nothing is. Quotes nothing of its value. */
const checkHeader = (name: string, value: string): string | undefined => {
  if (!TOKEN.test(name) || name.length > MAX_NAME_LENGTH) {
    return `the name of a header must be letters, digits and -, at most ${MAX_NAME_LENGTH} of them`;
  }
  const lower = name.toLowerCase();
  if (OURS.has(lower) || OUR_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    return `${lower} is set by Clickrelay or by HTTP itself`;
  }
  if (!VALUE.test(value) || value.length > MAX_VALUE_LENGTH) {
    return `the value of ${lower} must be visible ASCII characters with spaces in between, at most ${MAX_VALUE_LENGTH}`;
  }
  return undefined;
};

/** Custom headers. Parsing lower-cases their names. */
export const headers = z
  .record(z.string(), z.string())
  .check(({ value, issues }) => {
    const refuse = (message: string, path: PropertyKey[] = []) =>
      issues.push({ code: 'custom', message, input: undefined, path });
    const names = Object.keys(value);
    if (names.length > MOST_HEADERS) refuse(`headers must be at most ${MOST_HEADERS}, got ${names.length}`);
    for (const [name, text] of Object.entries(value)) {
      const refusal = checkHeader(name, text);
      if (refusal !== undefined) refuse(refusal);
    }
    if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
      refuse('headers must not name one twice; upper and lower case are the same');
    }
  })
  .overwrite((given) => Object.fromEntries(Object.entries(given).map(([name, text]) => [name.toLowerCase(), text])));
