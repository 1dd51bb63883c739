import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clockTime } from '../time.ts';
import { Table } from './table.tsx';

export interface Series {
  readonly name: string;
  /** A class that fills or strokes it. Two that stand side by side differ in pattern too, not in colour alone. */
  readonly tone: string;
}

export interface Point {
  /** When the minute or the hour begins. */
  readonly at: string;
  /** One for each series; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

/** Where a value stands on the drawing, in px. */
export interface Scale {
  /** The left edge of a step. */
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  /** How wide a step is. */
  readonly step: number;
}

export interface ChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly points: readonly Point[];
  /** The highest value of the scale. */
  readonly top: number;
  readonly format: (value: number) => string;
  /** What a row of the table is: `Minute`, `Hour`. */
  readonly stepName: string;
  readonly children: (scale: Scale) => ComponentChildren;
}

const HEIGHT = 118;
const LABELS = 44;
/** Room for a time below the axis, in px. */
const TIME_WIDTH = 90;

/** `14:08`: the day is told by the page around it. */
const minuteOf = (iso: string): string => clockTime(iso, { millis: false }).slice(-8, -3);

/** As wide as the card is, so that letters stay 12 px at any width. */
const useWidth = () => {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(Math.floor(current.clientWidth), 120)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return { box, width };
};

/** Axis, times and legend of a drawing. The same numbers stand in a table below it, for those who read them. */
export const Chart = ({ title, series, points, top, format, stepName, children }: ChartProps) => {
  const { box, width } = useWidth();
  const step = (width - LABELS) / Math.max(points.length, 1);
  const scale: Scale = { x: (index) => index * step, y: (value) => HEIGHT - (value / top) * (HEIGHT - 12), step };
  const shown = Math.max(Math.min(Math.floor((width - LABELS) / TIME_WIDTH), 5), 1);
  const times = Array.from({ length: shown }, (_, index) => Math.floor((index * points.length) / shown));
  const told = points.filter(({ values }) => values.some((value) => value !== null && value > 0));
  const text = (value: number | null): string => (value === null ? '—' : format(value));
  return (
    <div ref={box}>
      <svg
        class="chart"
        width={width}
        height={HEIGHT + 20}
        role="img"
        aria-label={`${title}. ${summaryOf(told, series, text)}`}
      >
        <Hatches />
        {[top / 3, (2 * top) / 3, top].map((tick) => (
          <g key={tick}>
            <line x1="0" x2={width - LABELS} y1={scale.y(tick)} y2={scale.y(tick)} />
            <text x={width - LABELS + 6} y={scale.y(tick) + 4}>
              {format(tick)}
            </text>
          </g>
        ))}
        <line x1="0" x2={width - LABELS} y1={HEIGHT} y2={HEIGHT} />
        {children(scale)}
        {times.map((at) => (
          <text key={at} x={scale.x(at)} y={HEIGHT + 16}>
            {points[at] === undefined ? '' : minuteOf(points[at].at)}
          </text>
        ))}
      </svg>
      <details class="small">
        <summary>{title} as a table</summary>
        {told.length === 0 ? (
          <p class="muted">Nothing happened in this time.</p>
        ) : (
          <Table
            name={`${title}, as a table`}
            rows={told}
            keyOf={({ at }) => at}
            columns={[
              { head: stepName, cell: ({ at }) => minuteOf(at) },
              ...series.map(({ name }, index) => ({
                head: name,
                num: true,
                cell: ({ values }: Point) => text(values[index] ?? null),
              })),
            ]}
          />
        )}
      </details>
    </div>
  );
};

/** What somebody who does not see it is told at once: the most of each series, and when. */
const summaryOf = (
  told: readonly Point[],
  series: readonly Series[],
  text: (value: number | null) => string,
): string => {
  const parts = series.flatMap(({ name }, index) => {
    const most = told.reduce<Point | undefined>((best, point) => {
      const value = point.values[index] ?? 0;
      return value > (best?.values[index] ?? 0) ? point : best;
    }, undefined);
    return most === undefined ? [] : [`${name}: at most ${text(most.values[index] ?? null)}, at ${minuteOf(most.at)}`];
  });
  return parts.length === 0 ? 'Nothing happened in this time' : parts.join('; ');
};

/** Stripes, so that a series is told apart without colour. */
const Hatches = () => (
  <defs>
    {['statuses', 'retried'].map((tone) => (
      <pattern
        key={tone}
        id={`hatch-${tone}`}
        width="5"
        height="5"
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect class={`${tone} below`} width="5" height="5" />
        <rect class={`${tone} stripe`} width="2" height="5" />
      </pattern>
    ))}
  </defs>
);

/** What each pattern stands for, beside the title. */
export const Legend = ({ series, isLine = false }: { series: readonly Series[]; isLine?: boolean }) => (
  <span class="small muted legend">
    {series.map(({ name, tone }) => (
      <span key={name}>
        <svg class="chart" width="14" height="12" aria-hidden="true">
          <Hatches />
          {isLine ? <path class={tone} d="M0 6h14" /> : <rect class={tone} width="12" height="12" rx="2" />}
        </svg>
        {name}
      </span>
    ))}
  </span>
);
