import { withDeadline } from '@clickrelay/queue';
import type { Known, Unknown } from '../known.ts';
import type { Sources } from './sources.ts';

/** How long one group of facts may take, in ms: one that is slow hides no other. */
const GROUP_MS = 1_800;

const NO_ANSWER: Unknown = { unknown: 'Redis does not answer' };

class TooSlowError extends Error {
  override readonly name = 'TooSlowError';
}

/** Reads facts. What fails or takes too long is unknown, with a reason for people; nothing throws. */
export const ask = async <T>(
  { store, onError }: Pick<Sources, 'store' | 'onError'>,
  read: () => Promise<Known<T>>,
): Promise<Known<T>> => {
  try {
    return await withDeadline(read(), GROUP_MS, { error: () => new TooSlowError('too slow') });
  } catch (error) {
    if (error instanceof TooSlowError) return NO_ANSWER;
    const refused = refusedCommand(error);
    if (refused !== undefined) return { unknown: `this Redis refuses ${refused}` };
    const trouble = store.explain(error);
    if (trouble !== undefined) return { unknown: trouble.cause };
    onError(error);
    return { unknown: 'Redis answers, but not with what was asked for; the log of the API has the error' };
  }
};

/** Hosted servers have no such command, or give no permission for it. */
const REFUSED = /(?:unknown command|NOPERM.*permissions to run the|can't run this command).*?'([a-z|]+)'/i;

const refusedCommand = (error: unknown): string | undefined =>
  error instanceof Error ? REFUSED.exec(error.message)?.[1]?.toUpperCase() : undefined;
