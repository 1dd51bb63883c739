import {
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValue,
  type MetricValueWithName,
} from 'prom-client';

/*
 * Counters and histograms for what happens thousands of times a second. Those of prom-client look their labels up at each
 * step, which takes half a microsecond; these are numbers that are written out when somebody asks.
 */

type Labels = Readonly<Record<string, string>>;

export interface Cell {
  readonly labels: Labels;
  value: number;
}

/** A counter whose series are made beforehand: `cell.value++`. */
export class PlainCounter extends Counter {
  readonly #cells = new Set<Cell>();

  cell(labels: Labels): Cell {
    const cell = { labels, value: 0 };
    this.#cells.add(cell);
    return cell;
  }

  forget(cell: Cell): void {
    this.#cells.delete(cell);
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const values = [...this.#cells].map(({ labels, value }) => ({ labels: { ...labels }, value }));
    return { ...(await super.get()), values };
  }
}

/** A histogram whose series are made beforehand. */
export class PlainHistogram extends Histogram {
  declare readonly name: string;
  declare readonly help: string;
  declare readonly type: MetricType;
  readonly #bounds: readonly number[];
  readonly #series: Series[] = [];

  constructor(options: ConstructorParameters<typeof Histogram>[0] & { buckets: number[] }) {
    super(options);
    this.#bounds = options.buckets;
  }

  /** @returns What takes the values of one series. */
  series(labels: Labels): Series {
    const series = new Series(labels, this.#bounds);
    this.#series.push(series);
    return series;
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.getForPromString();
  }

  /** What `Registry.metrics()` asks for. */
  async getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = this.#series.flatMap(({ labels, counts, sum }) => {
      let below = 0;
      const buckets = counts.map((count, at) => {
        below += count;
        const le = this.#bounds[at] ?? '+Inf';
        return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: below };
      });
      return [
        ...buckets,
        { metricName: `${this.name}_sum`, labels: { ...labels }, value: sum },
        { metricName: `${this.name}_count`, labels: { ...labels }, value: below },
      ];
    });
    const { name, help, type } = this;
    return { name, help, type, aggregator: 'sum', collect: () => {}, values };
  }
}

export class Series {
  readonly labels: Labels;
  /** The last is of what lies above every bound. */
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}
