import { parseArgs } from 'node:util';
import { runHistory } from './spool-history.ts';

/* `./test spool-histories --seed N --runs 10000`: see docs/guarantees.md. */

const { values } = parseArgs({ options: { seed: { type: 'string' }, runs: { type: 'string', default: '10000' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const runs = Number(values.runs);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || seed < 0 || runs < 1) {
  console.error('--seed and --runs are whole numbers: ./test spool-histories --seed 1 --runs 10000');
  process.exit(2);
}

const startedAt = performance.now();
const sums = { acknowledged: 0, drained: 0, setAside: 0, crashes: 0, flips: 0 };
let broken = 0;
for (let i = 0; i < runs && broken < 3; i++) {
  const history = await runHistory(seed + i);
  for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += history[key];
  if (history.broken === undefined) continue;
  broken++;
  if (broken === 1) console.log(history.steps.join('\n'));
  console.log(`history ${i + 1}: ${history.broken}. Again: ./test spool-histories --seed ${seed + i} --runs 1`);
}
const { acknowledged, drained, setAside, crashes, flips } = sums;
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
console.log(
  `seed ${seed}, up to ${runs} histories in ${seconds} s: ${acknowledged} acknowledged, ${drained} in Redis, ` +
    `${setAside} files set aside, ${crashes} crashes, ${flips} flipped bits; ` +
    (broken === 0 ? 'nothing lost' : `BROKEN, and stopped`),
);
process.exit(broken === 0 ? 0 : 1);
