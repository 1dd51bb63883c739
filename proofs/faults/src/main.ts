import { parseArgs } from 'node:util';
import { seedOf } from './random.ts';
import { rows } from './rows/index.ts';
import { type Row, type RunResult, runOnce } from './run.ts';
import { describeFailure, table } from './table.ts';

/*
 * `./test faults`: breaks a whole Clickrelay several times in every way that a promise names, and prints the results.
 * Exits with 0 when every promise held.
 */

const USAGE = `./test faults [options]
  --only <row>       only this row; may be given more than once, or with commas: --only G1,G4
  --runs <n>         how often each row runs (default 3)
  --seed <n>         decides everything random (default: the clock); the same seed breaks at the same places
  --run-seed <n>     the seed of a single run, as a failure prints it
  --short            the round that is part of ./test: less load, fewer repeats
  --list             lists the rows and exits`;

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

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n\n${USAGE}\n`);
  process.exit(2);
};

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
const results: { row: Row; runs: RunResult[]; notRun?: string }[] = [];
for (const row of chosen) {
  const notRun = await row.cannotRun?.();
  if (notRun !== undefined) console.log(`${row.id}: NOT RUN: ${notRun}`);
  results.push({ row, runs: [], ...(notRun !== undefined && { notRun }) });
}
/** Prints the rows that ran, and exits with 0 when every promise held. */
const end = (): never => {
  const ran = results.filter(({ runs, notRun }) => runs.length > 0 || notRun !== undefined);
  console.log(`\n${table(ran)}\n`);
  const failed = ran.filter((result) => result.runs.some(({ failures }) => failures.length > 0));
  const notRun = ran.filter((result) => result.notRun !== undefined);
  const names = (some: typeof ran): string => some.map(({ row }) => row.id).join(', ');
  if (notRun.length > 0) console.log(`NOT RUN, and proven by nobody here: ${names(notRun)}`);
  console.log(failed.length === 0 ? 'every row that ran held' : `FAILED: ${names(failed)}`);
  process.exit(failed.length === 0 && ran.length === results.length ? 0 : 1);
};

// On a signal, print the results so far. Exiting here also stops the started processes, which a bare signal would
// leave.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.log('\ncut off:');
    end();
  });
}

// Run every row once, then every row again, so that other load on the machine affects all of them.
for (let run = 0; run < runs; run++) {
  for (const { row, runs: done, notRun } of results) {
    if (notRun !== undefined) continue;
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
}
end();
