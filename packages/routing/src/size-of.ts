/* How many steps it takes to go through a value. */

/** Timestamps are objects too, and hold nothing. */
export const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(value instanceof Date);

/** Going through a text once: comparing or copying 64 characters takes a step. */
export const lengthOf = (value: unknown): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length >>> 6 : 0;

/** The number of elements of a list, or of keys of a map. */
export const countOf = (value: object): number =>
  Array.isArray(value) || value instanceof Uint8Array ? value.length : Object.keys(value).length;

/** Listing the keys of a large map takes longer than anything else that is done with one key. */
const KEY_STEPS = 4;

/** The way to the first value that is no container: the type of a list or a map is that of its first element. */
export const typeStepsOf = (value: unknown): number => {
  let steps = 0;
  let inner = value;
  while (isContainer(inner) && !(inner instanceof Uint8Array)) {
    steps += 1;
    if (Array.isArray(inner)) inner = inner[0];
    else {
      const keys = Object.keys(inner);
      steps += keys.length * KEY_STEPS;
      inner = keys.length === 0 ? undefined : (inner as Record<string, unknown>)[keys[0] as string];
    }
  }
  return steps;
};

/**
 * Everything in a value, all the way down. What occurs twice counts twice, as it does when two values are compared.
 * @param most Beyond it the answer is only known to be larger.
 */
export const sizeOf = (root: unknown, most: number): number => {
  let size = lengthOf(root);
  if (!isContainer(root) || root instanceof Uint8Array) return size;
  const open: object[] = [root];
  for (let value = open.pop(); value !== undefined && size <= most; value = open.pop()) {
    const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
    size += 1 + members.length * (Array.isArray(value) ? 1 : KEY_STEPS);
    if (size > most) break;
    for (const member of members) {
      if (isContainer(member) && !(member instanceof Uint8Array)) open.push(member);
      else size += lengthOf(member);
    }
  }
  return size;
};
