import type { Hours } from '@clickrelay/client';
import type { Loaded } from '../load.ts';
import { Bars } from './bars.tsx';
import { Legend } from './chart.tsx';
import { Failed, Skeleton } from './page-state.tsx';

const SERIES = [
  { name: 'Delivered', tone: 'delivered' },
  { name: 'Tried again', tone: 'retried' },
  { name: 'Dead letters', tone: 'dead' },
] as const;

export interface OutcomesProps {
  readonly hours: Hours['items'] | undefined;
  /** The destination; undefined: all of them. */
  readonly of?: string | undefined;
  readonly loaded?: Pick<Loaded<unknown>, 'error' | 'at' | 'reload'>;
}

/** How attempts ended, hour by hour. */
export const Outcomes = ({ hours, of, loaded }: OutcomesProps) => (
  <section class="card">
    <header>
      <h2>Attempts by outcome{of === undefined ? '' : `, ${of}`}</h2>
      <span class="grow" />
      <Legend series={SERIES} />
    </header>
    {loaded !== undefined && <Failed loaded={loaded} />}
    <div class="body">
      {hours === undefined ? (
        loaded?.error === undefined && <Skeleton rows={3} />
      ) : (
        <Bars
          title={`Attempts by outcome, ${of ?? 'all destinations'}`}
          stepName="Hour"
          series={SERIES}
          points={hours.map(({ at, delivered, failed, deadLetters }) => ({
            at,
            values: [delivered, failed - deadLetters, deadLetters],
          }))}
        />
      )}
    </div>
  </section>
);
