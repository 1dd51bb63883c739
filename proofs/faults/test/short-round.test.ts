import { describe, expect, it } from 'vitest';
import { seedOf } from '../src/random.ts';
import { rows } from '../src/rows/index.ts';
import { runOnce } from '../src/run.ts';
import { describeFailure } from '../src/table.ts';

// Each row once, with little load, but those that have a test of their own. `./test faults` does the same with more of everything, and a new seed each time.
const SEED = 1;

// Side by side: they mostly wait for locks to expire, or to see that something does not happen.
describe.concurrent('nothing acknowledged is lost', () => {
  for (const row of rows.filter(({ shortIn }) => shortIn === undefined)) {
    it(`${row.id}: ${row.fault}`, async (context) => {
      const notRun = await row.cannotRun?.();
      if (notRun !== undefined) {
        console.warn(`NOT RUN: ${row.id} (${row.fault}): ${notRun}`);
        context.skip(notRun);
      }
      const result = await runOnce(row, { seed: seedOf(SEED, row.id, 0), isLong: false });
      expect(result.failures, describeFailure(row, result)).toEqual([]);
    });
  }
});
