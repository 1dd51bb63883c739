import { hash } from 'node:crypto';

/*
 * A callback gives some names once that each of its events has: the id and the name of the integration, and the name of
 * the array that the event stood in. In a callback of a thousand elements such a name is kept a thousand times, so a long
 * one is cut: otherwise 250 KB of it make 250 MB. Its end gives way to a hash of the whole, so that two names stay two.
 */

/** No name of Clickatell's is a quarter as long. */
const MAX_NAME_LENGTH = 256;
const HASH_LENGTH = 22;

/** The name, or as much of a longer one as is kept. */
export const boundName = <Name extends string | null>(name: Name): Name | string =>
  name === null || !isTooLong(name)
    ? name
    : `${name.slice(0, MAX_NAME_LENGTH).toWellFormed()}…${hash('sha256', name, 'base64url').slice(0, HASH_LENGTH)}`;

/** Whether a name is too long; a name that was cut still counts as that. */
export const isTooLong = (name: string | null): boolean => name !== null && name.length > MAX_NAME_LENGTH;

export const TOO_LONG = `expected at most ${MAX_NAME_LENGTH} characters, got more; the rest is replaced by a hash`;
