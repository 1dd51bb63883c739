import { generateSecret, type LiveSecret } from './secret.ts';

/** How many secrets a destination may have. */
export const MOST_SECRETS = 8;

export interface RotatedSecrets {
  /** The secrets to keep, the new ones first. */
  readonly secrets: readonly LiveSecret[];
  /** The new ones: one for each sort of key in use, so that a destination that knows both sorts keeps getting both. */
  readonly made: readonly string[];
  /** How long the old ones keep signing; null when they end at once. */
  readonly oldUntil: string | null;
}

/**
 * Makes new secrets beside the present ones, which end after `keepOldForMs`, or earlier if they already were to.
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
    // When there are too many, keep those that live longest.
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until))
    .slice(0, MOST_SECRETS - made.length);
  return { secrets: [...made, ...old], made, oldUntil: keepOldForMs > 0 ? until : null };
};

const kindOf = (secret: string): 'whsec_' | 'whsk_' => (secret.startsWith('whsk_') ? 'whsk_' : 'whsec_');
