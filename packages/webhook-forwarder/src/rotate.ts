import { generateSecret, type LiveSecret } from './secret.ts';

/** As many as a destination may have. */
export const MOST_SECRETS = 8;

export interface RotatedSecrets {
  /** As they are to be kept: the new ones first. */
  readonly secrets: readonly LiveSecret[];
  /** One for each sort of key that signed without an end: a destination that knows both sorts goes on getting both. */
  readonly made: readonly string[];
  /** Until when the old ones sign too; null when they end at once. */
  readonly oldUntil: string | null;
}

/**
 * New secrets beside the present ones, which end after `keepOldForMs`. What was to end before that still does.
 * @param nowMs epoch milliseconds
 */
export const rotateSecrets = (
  present: LiveSecret | readonly LiveSecret[],
  { keepOldForMs, nowMs }: { keepOldForMs: number; nowMs: number },
): RotatedSecrets => {
  const all = [present].flat() as LiveSecret[];
  const lasting = all.filter((one) => typeof one === 'string');
  const made = [...new Set(lasting.map(kindOf))].map(generateSecret);
  const untilMs = nowMs + keepOldForMs;
  const until = new Date(untilMs).toISOString();
  const old = all
    .map((one) => (typeof one === 'string' ? { secret: one, until } : one))
    .map((one) => (Date.parse(one.until) > untilMs ? { ...one, until } : one))
    .filter((one) => Date.parse(one.until) > nowMs)
    // What lives longest matters most when there are too many.
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until))
    .slice(0, MOST_SECRETS - made.length);
  return { secrets: [...made, ...old], made, oldUntil: keepOldForMs > 0 ? until : null };
};

const kindOf = (secret: string): 'whsec_' | 'whsk_' => (secret.startsWith('whsk_') ? 'whsk_' : 'whsec_');
