import { openCredentialRecords } from '@clickrelay/queue';
import type { RotationFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** The credentials of callbacks that are about to end. */
export const gatherRotations = (sources: Sources, nowMs: number): Promise<Known<readonly RotationFacts[]>> =>
  ask(sources, async () => {
    const records = openCredentialRecords(sources.store);
    const [all, uses] = await Promise.all([records.list(), records.readUses()]);
    return all.flatMap(({ id, endsAt }) => {
      const ends = endsAt === null ? null : Date.parse(endsAt);
      if (ends === null || ends <= nowMs) return [];
      const lastUsed = uses[id];
      return [{ id, endsAt: ends, lastUsedAt: lastUsed === undefined ? null : Date.parse(lastUsed) }];
    });
  });
