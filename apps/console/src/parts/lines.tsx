import { duration } from '../time.ts';
import { Chart, type Point, type Scale, type Series } from './chart.tsx';

/** Tops of a scale of times that read well with their thirds, in ms. */
const TOPS = [
  15, 30, 60, 150, 300, 600, 1_500, 3_000, 6_000, 15_000, 30_000, 90_000, 180_000, 540_000, 1_800_000, 5_400_000,
  10_800_000, 21_600_000, 86_400_000,
];

export interface LinesProps {
  readonly title: string;
  readonly series: readonly Series[];
  /** Values in ms. */
  readonly points: readonly Point[];
  readonly stepName: string;
}

/** How long something took. Where nothing was measured the line breaks off. */
export const Lines = ({ title, series, points, stepName }: LinesProps) => {
  const most = Math.max(...points.flatMap(({ values }) => values.map((value) => value ?? 0)), 1);
  return (
    <Chart
      title={title}
      series={series}
      points={points}
      stepName={stepName}
      top={TOPS.find((top) => top >= most) ?? most}
      format={duration}
    >
      {(scale) =>
        series.map(({ name, tone }, index) => <path key={name} class={tone} d={pathOf(points, index, scale)} />)
      }
    </Chart>
  );
};

/** A step is a flat piece as wide as its hour; pieces side by side are joined. */
const pathOf = (points: readonly Point[], series: number, { x, y, step }: Scale): string => {
  let isOn = false;
  return points
    .map(({ values }, index) => {
      const value = values[series] ?? null;
      const wasOn = isOn;
      isOn = value !== null;
      return value === null ? '' : `${wasOn ? 'V' : `M${x(index)} `}${y(value)}H${x(index) + step}`;
    })
    .join('');
};
