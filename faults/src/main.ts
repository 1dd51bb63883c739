import { parseArgs } from 'node:util';
import { seedOf } from './random.ts';
import { rows } from './rows/index.ts';
import { type RunResult, runOnce } from './run.ts';
import { describeFailure, type RowResult, table } from './table.ts';

/*
 * `./test faults`: breaks a whole Clickrelay in every way that a promise names, several times, and prints what came of it.
 * Ends with 0 when every promise held.
 */

const USAGE = `./test faults [options]
  --only <row>       only this row; may be given more than once, or with commas: --only G1,G4
  --runs <n>         how often each row runs (default 3)
  --seed <n>         chooses everything that is random (default: the clock); the same seed breaks at the same places
  --run-seed <n>     the seed of one single run, as a failure prints it
  --short            the round that is part of ./test: less load, fewer repeats
  --list             names the rows and ends`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: '3' },
    seed: { type: 'string' },
    'run-seed': { type: 'string' },
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const readNumber = (name: string, text: string): number => {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  return refuse(`--${name} must be a whole number, got ${text}`);
};

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${USAGE}\n`);
  process.exit(2);
}

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
if (values.list) {
  for (const { id, fault } of rows) console.log(`${id.padEnd(12)} ${fault}`);
  process.exit(0);
}

const wanted = values.only?.flatMap((names) => names.split(','));
const unknown = wanted?.find((name) => !rows.some(({ id }) => id === name));
if (unknown !== undefined) refuse(`there is no row ${unknown}; --list names them`);
const chosen = rows.filter(({ id }) => wanted?.includes(id) ?? true);
const isSingle = values['run-seed'] !== undefined;
const runs = isSingle ? 1 : Math.max(readNumber('runs', values.runs), 1);
const seed = readNumber('seed', values.seed ?? String(Date.now() % 1_000_000));

console.log(isSingle ? '' : `seed ${seed}; the same again: ./test faults --seed ${seed} --runs ${runs}\n`);
const results: RowResult[] = [];
for (const row of chosen) {
  const notRun = await row.cannotRun?.();
  if (notRun !== undefined) {
    console.log(`${row.id}: NOT RUN: ${notRun}`);
    results.push({ row, runs: [], notRun });
    continue;
  }
  const done: RunResult[] = [];
  for (let run = 0; run < runs; run++) {
    const runSeed = isSingle ? readNumber('run-seed', values['run-seed'] ?? '') : seedOf(seed, row.id, run);
    const result = await runOnce(row, { seed: runSeed, isLong: !values.short });
    const { acknowledged, lost, repeated, slowestMs, ms, failures, remarks } = result;
    console.log(
      `${row.id} run ${run + 1}: ${failures.length === 0 ? 'held' : 'FAILED'}, ${acknowledged} acknowledged, ${lost} lost, ` +
        `${repeated} repeated, slowest answer ${slowestMs.toFixed(0)} ms, took ${(ms / 1_000).toFixed(1)} s (seed ${runSeed})`,
    );
    for (const remark of remarks) console.log(`  ${remark}`);
    if (failures.length > 0) console.log(describeFailure(row, result));
    done.push(result);
  }
  results.push({ row, runs: done });
}

console.log(`\n${table(results)}\n`);
const failed = results.filter(({ runs }) => runs.some(({ failures }) => failures.length > 0)).map(({ row }) => row.id);
const notRun = results.filter((result) => result.notRun !== undefined).map(({ row }) => row.id);
if (notRun.length > 0) console.log(`NOT RUN, and proven by nobody here: ${notRun.join(', ')}`);
console.log(failed.length === 0 ? 'every row that ran held' : `FAILED: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
