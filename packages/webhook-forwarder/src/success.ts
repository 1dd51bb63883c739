import { z } from 'zod';

const contains = z.strictObject({
  contains: z.string().min(1).max(1_000).describe('Text that the body must hold, as it is.'),
});
const equals = z.strictObject({
  pointer: z
    .string()
    .max(200)
    .regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'must be a JSON pointer such as /result/ok (RFC 6901)')
    .describe('A place in the body, which must be JSON, such as /result/ok (RFC 6901).'),
  equals: z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]).describe('What must stand there.'),
});

/** What the body of a 2xx answer must say. */
export const successWhen = z.union([contains, equals], {
  error: 'successWhen must be {"contains": …} or {"pointer": "/…", "equals": …}',
});

/** @param body the first 16 KB of it */
export const meets = (rule: z.output<typeof successWhen>, body: string): boolean => {
  if ('contains' in rule) return body.includes(rule.contains);
  try {
    return valueAt(JSON.parse(body), rule.pointer) === rule.equals;
  } catch {
    return false;
  }
};

/** @returns undefined when nothing stands there */
const valueAt = (document: unknown, pointer: string): unknown => {
  let value = document;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
};
