import type { Row, RunResult } from './run.ts';

/** All runs of a row, or why there are none. */
interface RowResult {
  readonly row: Row;
  readonly runs: readonly RunResult[];
  readonly notRun?: string;
}

const COLUMNS = ['', 'fault', 'runs', 'acknowledged', 'lost', 'repeated', 'slowest answer', ''] as const;

/** Formats the results in Markdown, ready for the documentation. */
export const table = (results: readonly RowResult[]): string => {
  const rows = results.map(({ row, runs, notRun }) => {
    const sum = (of: (run: RunResult) => number): string => String(runs.reduce((total, run) => total + of(run), 0));
    if (notRun !== undefined) return [row.id, row.fault, '0', '', '', '', '', `not run: ${notRun}`];
    const slowest = Math.max(...runs.map(({ slowestMs }) => slowestMs));
    const failed = runs.filter(({ failures }) => failures.length > 0).length;
    return [
      row.id,
      row.fault,
      String(runs.length),
      sum((run) => run.acknowledged),
      sum((run) => run.lost),
      sum((run) => run.repeated),
      slowest === 0 ? '' : `${(slowest / 1_000).toFixed(2)} s`,
      failed === 0 ? 'held' : `FAILED in ${failed}`,
    ];
  });
  const widths = COLUMNS.map((title, column) =>
    Math.max(3, title.length, ...rows.map((cells) => (cells[column] as string).length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`;
  return [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
};

/** Prints what a person needs to reproduce the failure. */
export const describeFailure = (row: Row, { seed, failures, steps }: RunResult): string =>
  [
    `${row.id} (${row.fault}) did not hold; run it again with \`--run-seed ${seed} --only ${row.id}\``,
    ...failures.map((failure) => `  - ${failure}`),
    ...(steps.length === 0 ? [] : ['  what was done:', ...steps.map((step) => `    ${step}`)]),
  ].join('\n');
