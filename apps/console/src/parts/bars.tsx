import { Chart, type Point, type Scale, type Series } from './chart.tsx';

export interface BarsProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly points: readonly Point[];
  readonly stepName: string;
}

const TOPS = [3, 6, 9, 12, 15, 21, 30];

/** The top of the scale: a number at or above it whose thirds are whole. */
const roundUp = (value: number): number => {
  let power = 1;
  while (30 * power < value) power *= 10;
  return (TOPS.find((top) => top * power >= value) ?? 30) * power;
};

const sumOf = (values: Point['values']): number => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** Stacked bars, from the first series at the bottom up. */
export const Bars = ({ title, series, points, stepName }: BarsProps) => (
  <Chart
    title={title}
    series={series}
    points={points}
    stepName={stepName}
    top={roundUp(Math.max(...points.map(({ values }) => sumOf(values)), 3))}
    format={(value) => value.toLocaleString('en')}
  >
    {(scale) =>
      points.map(({ at, values }, index) => (
        <Column key={at} values={values} series={series} x={scale.x(index)} scale={scale} />
      ))
    }
  </Chart>
);

interface ColumnProps {
  readonly values: Point['values'];
  readonly series: readonly Series[];
  readonly x: number;
  readonly scale: Scale;
}

const Column = ({ values, series, x, scale: { y, step } }: ColumnProps) => {
  let below = 0;
  const gap = step > 6 ? 2 : 1;
  return (
    <>
      {values.map((value, index) => {
        if (value === null || value === 0) return null;
        const from = below;
        below += value;
        const { name, tone } = series[index] as Series;
        return (
          <rect
            key={name}
            class={tone}
            x={x + gap / 2}
            y={y(below)}
            width={Math.max(step - gap, 1)}
            height={Math.max(y(from) - y(below), 1)}
          />
        );
      })}
    </>
  );
};
