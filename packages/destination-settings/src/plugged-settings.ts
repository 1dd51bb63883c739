import type { Destination } from '@clickrelay/queue';
import { HIDDEN, MissingSecretError } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';

/*
 * Settings of adapters that are not ours. What the API does not show of them it takes back as it showed it, so that who
 * changes one setting need not know the others.
 */

/** The field, or what stands for it where it is not shown. What does not fit is told as the field tells it. */
export const mayBeHidden = (field: z.ZodType): z.ZodType =>
  z.union([z.literal(HIDDEN), field], {
    error: ({ errors }) => (errors as { message: string }[][] | undefined)?.at(-1)?.[0]?.message,
  });

/**
 * Puts back what is hidden. Only as long as the adapter's other settings stay as they are: one of them may say where it
 * goes, and who may change a destination must not learn its secrets by pointing it elsewhere.
 * @param isCommon whether a setting is one that all destinations have
 * @throws {MissingSecretError}
 */
export const completePlugged = (
  settings: Readonly<Record<string, unknown>>,
  present: Destination['config'] | undefined,
  isCommon: (name: string) => boolean,
): Record<string, unknown> => {
  const hidden = Object.keys(settings).filter((name) => settings[name] === HIDDEN);
  if (hidden.length === 0) return { ...settings };
  const [first = ''] = hidden;
  const names = new Set([...Object.keys(settings), ...Object.keys(present ?? {})]);
  for (const name of names) {
    if (isCommon(name) || hidden.includes(name)) continue;
    if (JSON.stringify(settings[name]) === JSON.stringify(present?.[name])) continue;
    throw new MissingSecretError(first, `is left out, and ${name} is another one now: give it again`);
  }
  const kept = hidden.map((name) => {
    if (present?.[name] === undefined) throw new MissingSecretError(name, 'is left out, and there is none to keep');
    return [name, present[name]];
  });
  return { ...settings, ...Object.fromEntries(kept) };
};
