import type { Hours } from '@clickrelay/client';
import { Legend } from './chart.tsx';
import { Lines } from './lines.tsx';

const SERIES = [
  { name: 'p50', tone: 'first' },
  { name: 'p95', tone: 'second' },
] as const;

/** How long attempts at a destination take, hour by hour: half of them, and all but one in twenty. */
export const Durations = ({ hours, of }: { hours: Hours['items']; of: string }) => (
  <section class="card">
    <header>
      <h2>How long an attempt takes</h2>
      <span class="grow" />
      <Legend series={SERIES} isLine />
    </header>
    <div class="body">
      <Lines
        title={`How long an attempt at ${of} takes`}
        stepName="Hour"
        series={SERIES}
        points={hours.map(({ at, p50Ms, p95Ms }) => ({ at, values: [p50Ms, p95Ms] }))}
      />
    </div>
  </section>
);
