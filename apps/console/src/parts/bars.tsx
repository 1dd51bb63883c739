import { clockTime } from '../time.ts';

interface Bar {
  readonly at: string;
  /** From the bottom up, as many as there are series. */
  readonly values: readonly number[];
}

interface Series {
  readonly name: string;
  /** A class that fills it: `messages`, `statuses`, `refused`. */
  readonly tone: string;
}

export interface BarsProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
}

/** `14:08`: the day is told by the page around it. */
const minuteOf = (iso: string): string => clockTime(iso, { millis: false }).slice(-8, -3);

const WIDTH = 1_120;
const HEIGHT = 118;
const LABELS = 24;

/** A round number at or above it: the top of the scale. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
};

/** Stacked bars. The same numbers stand in a table, for those who read them. */
export const Bars = ({ title, series, bars }: BarsProps) => {
  const top = roundUp(Math.max(...bars.map(({ values }) => values.reduce((a, b) => a + b, 0)), 3));
  const width = (WIDTH - LABELS) / Math.max(bars.length, 1);
  const y = (value: number): number => HEIGHT - (value / top) * (HEIGHT - 12);
  const ticks = [top / 3, (2 * top) / 3, top].map(Math.round);
  const times = [0, 0.25, 0.5, 0.75].map((part) => Math.floor(part * bars.length)).filter((at) => bars[at]);
  return (
    <>
      <svg class="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`} aria-hidden="true">
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1="0" x2={WIDTH - LABELS} y1={y(tick)} y2={y(tick)} />
            <text x={WIDTH - LABELS + 6} y={y(tick) + 4}>
              {tick}
            </text>
          </g>
        ))}
        {bars.map(({ at, values }, column) => (
          <Column key={at} x={column * width} width={width} values={values} series={series} y={y} />
        ))}
        {times.map((at) => (
          <text key={at} x={at * width} y={HEIGHT + 16}>
            {minuteOf(bars[at]?.at ?? '')}
          </text>
        ))}
      </svg>
      <details class="body small">
        <summary>{title} as a table</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Minute</th>
                {series.map(({ name }) => (
                  <th scope="col" class="num" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {bars
                .filter(({ values }) => values.some((value) => value > 0))
                .map(({ at, values }) => (
                  <tr key={at}>
                    <td>{minuteOf(at)}</td>
                    {values.map((value, index) => (
                      <td class="num" key={series[index]?.name}>
                        {value}
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
};

interface ColumnProps {
  readonly x: number;
  readonly width: number;
  readonly values: readonly number[];
  readonly series: readonly Series[];
  readonly y: (value: number) => number;
}

const Column = ({ x, width, values, series, y }: ColumnProps) => {
  let below = 0;
  return (
    <>
      {values.map((value, index) => {
        const from = below;
        below += value;
        if (value === 0) return null;
        const { name, tone } = series[index] as Series;
        return (
          <rect
            key={name}
            class={tone}
            x={x + 1}
            y={y(below)}
            width={Math.max(width - 3, 1)}
            height={Math.max(y(from) - y(below), 1)}
          />
        );
      })}
    </>
  );
};
