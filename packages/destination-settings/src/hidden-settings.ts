import type { Destination } from '@clickrelay/queue';
import { HIDDEN, MissingSecretError } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';

/*
 * Settings of loaded adapters that the API hides. It accepts `(hidden)` back for them, so that a caller can change one
 * setting without knowing the others.
 */

/** The field, or `(hidden)` in its place. What does not fit is reported as the field reports it. */
export const mayBeHidden = (field: z.ZodType): z.ZodType =>
  z.union([z.literal(HIDDEN), field], {
    error: ({ errors }) => (errors as { message: string }[][] | undefined)?.at(-1)?.[0]?.message,
  });

/**
 * Restores hidden settings, provided that the adapter's other settings stay the same: one of them may say where
 * deliveries go, and a caller who may change a destination must not learn its secrets by pointing it elsewhere.
 * @param isCommon whether every destination has this setting
 * @throws {MissingSecretError}
 */
export const restoreHidden = (
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
