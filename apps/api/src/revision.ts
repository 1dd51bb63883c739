import { createHash } from 'node:crypto';
import { RequestRefusedError } from './errors.ts';

/**
 * Stands for the settings of a destination as they may be shown, without what happens to it: a pause is no other setting.
 * Made of what is shown, so that it tells nothing about a secret.
 */
export const revisionOf = ({ paused: _, held: __, ...settings }: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('base64url').slice(0, 16);

/**
 * Refuses a change of settings that somebody else has changed since they were read.
 * @throws {RequestRefusedError} 409 `changed_meanwhile`
 */
export const assertRevision = (id: string, present: string | undefined, wanted: string | undefined): void => {
  if (wanted === undefined || wanted === present) return;
  const message =
    present === undefined
      ? `${id} was removed since you read it; nothing was changed`
      : `the settings of ${id} are others than those you read (revision ${wanted}, now ${present}); read them again, then change them`;
  throw new RequestRefusedError(409, 'changed_meanwhile', message);
};
