import { expect, it } from 'vitest';
import { runHistory } from '../../test/spool-history.ts';

/** The long run, with another seed: `./test spool-histories --seed 7 --runs 10000`. */
const SEED = 1;
const RUNS = 1_000;

it('loses nothing acknowledged in a thousand histories of a disk that breaks at every step', async () => {
  console.log(`seed ${SEED}`);
  const sums = { acknowledged: 0, crashes: 0, flips: 0, setAside: 0 };
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const history = await runHistory(seed);
    const again = `./test spool-histories --seed ${seed} --runs 1`;
    expect(history.broken, `${again}\n${history.steps.join('\n')}`).toBeUndefined();
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += history[key];
  }
  // Histories in which nothing happens would prove nothing.
  for (const sum of Object.values(sums)) expect(sum).toBeGreaterThan(RUNS / 2);
});
