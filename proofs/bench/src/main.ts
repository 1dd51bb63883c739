import { startRedis } from '@clickrelay/testkit';
import { Redis } from 'ioredis';
import { type DestinationsResult, measureDestinations } from './destinations.ts';
import { type EndToEndResult, measureEndToEnd, type Pipeline } from './end-to-end.ts';
import { type IngestResult, measureIngest, type Receiver } from './ingest.ts';
import { type LeasesResult, measureLeases } from './leases.ts';

/*
 * `pnpm bench`: ingest and end to end in one go, on one Redis with `appendfsync always`, each program one process.
 * Absolute numbers differ from machine to machine; only the ratios matter. Rounds take turns, and medians are shown.
 * `pnpm bench ingest` and `pnpm bench end-to-end` run one of the two, `pnpm bench leases` and `pnpm bench destinations`
 * two more.
 */

const INGEST_ROUNDS = 3;
const END_TO_END_ROUNDS = 3;
const LEASES_ROUNDS = 3;
const DESTINATIONS_ROUNDS = 3;

const RECEIVER_LABELS: Readonly<Record<Receiver, string>> = {
  limit: 'limit: node:http + JSON.parse + one pipelined XADD',
  batched: 'the same, XADDs of one turn in one write',
  everyone: 'Koa + koa-body + zod + queue.add per event',
  clickrelay: 'Clickrelay receiver',
};
const PIPELINE_LABELS: Readonly<Record<Pipeline, string>> = {
  everyone: 'Koa + queue.add, BullMQ Worker + fetch',
  clickrelay: 'Clickrelay receiver + worker',
};

const redis = await startRedis();
const client = new Redis(redis.url);

const benchIngest = async (): Promise<void> => {
  console.log('Ingest: callbacks answered 200, each on disk first; 64 connections\n');
  const results = await rounds<Receiver, IngestResult>(
    ['limit', 'batched', 'everyone', 'clickrelay'],
    INGEST_ROUNDS,
    (name) => measureIngest(name, redis),
  );
  table(
    [...results].map(([name, result]) => ({
      server: RECEIVER_LABELS[name],
      'requests/s': result.perSecond.toFixed(0),
      'p50 ms': result.p50Ms.toFixed(1),
      'p99 ms': result.p99Ms.toFixed(1),
      'CPU node µs': result.nodeMicros.toFixed(0),
      'CPU Redis µs': result.redisMicros.toFixed(0),
      refused: String(result.refused),
    })),
  );
  const rate = (name: Receiver): number => results.get(name)?.perSecond ?? Number.NaN;
  console.log(`\nClickrelay / limit     ${(rate('clickrelay') / rate('limit')).toFixed(2)} requests/s`);
  console.log(`Clickrelay / batched   ${(rate('clickrelay') / rate('batched')).toFixed(2)} requests/s`);
  console.log(`Clickrelay / everyone  ${(rate('clickrelay') / rate('everyone')).toFixed(2)} requests/s\n`);
};

const benchEndToEnd = async (): Promise<void> => {
  console.log('End to end: callback to delivery at one local destination\n');
  const results = await rounds<Pipeline, EndToEndResult>(['everyone', 'clickrelay'], END_TO_END_ROUNDS, (name) =>
    measureEndToEnd(name, redis),
  );
  table(
    [...results].map(([name, result]) => ({
      pipeline: PIPELINE_LABELS[name],
      'events/s': result.eventsPerSecond.toFixed(0),
      'p50 ms at 200/s': result.p50Ms.toFixed(2),
      'p99 ms': result.p99Ms.toFixed(1),
      'CPU receiver µs': result.receiverMicros.toFixed(0),
      'worker µs': result.workerMicros.toFixed(0),
      'Redis µs': result.redisMicros.toFixed(0),
      lost: String(result.lost),
    })),
  );
  const [everyone, clickrelay] = [results.get('everyone'), results.get('clickrelay')];
  const ratio = (of: (result: EndToEndResult | undefined) => number | undefined): string =>
    ((of(clickrelay) ?? Number.NaN) / (of(everyone) ?? Number.NaN)).toFixed(2);
  console.log(`\nClickrelay / everyone  ${ratio((result) => result?.eventsPerSecond)} events/s`);
  console.log(`                       ${ratio((result) => result?.p50Ms)} of its p50 at 200 events/s`);
};

const benchLeases = async (): Promise<void> => {
  console.log('\nLeases: consumers of a pull destination, over HTTP\n');
  const results = await rounds<'clickrelay', LeasesResult>(['clickrelay'], LEASES_ROUNDS, () => measureLeases(redis));
  const result = results.get('clickrelay') as LeasesResult;
  table([
    { what: 'leased and acked a second, 16 consumers, one at a time', figure: result.onePerSecond.toFixed(0) },
    { what: 'the same, ten at a time', figure: result.tenPerSecond.toFixed(0) },
    { what: 'CPU API µs per delivery, one at a time', figure: result.apiMicros.toFixed(0) },
    { what: 'CPU Redis µs per delivery', figure: result.redisMicros.toFixed(0) },
    { what: 'long poll: from queued to answered, p50 ms', figure: result.p50Ms.toFixed(2) },
    { what: 'p99 ms', figure: result.p99Ms.toFixed(2) },
    { what: '100 idle consumers: CPU of the API in %', figure: result.idleApiPercent.toFixed(2) },
    { what: 'without them', figure: result.aloneApiPercent.toFixed(2) },
    { what: '100 idle consumers: CPU of Redis in %', figure: result.idleRedisPercent.toFixed(2) },
    { what: 'connections to Redis that they add', figure: result.idleConnections.toFixed(0) },
  ]);
};

const benchDestinations = async (): Promise<void> => {
  console.log('Destinations: each wants every event\n');
  const counts = ['1', '10', '100'] as const;
  const results = await rounds<(typeof counts)[number], DestinationsResult>(counts, DESTINATIONS_ROUNDS, (count) =>
    measureDestinations(Number(count), redis),
  );
  table(
    [...results].map(([count, result]) => ({
      destinations: count,
      'events/s': result.eventsPerSecond.toFixed(0),
      'deliveries/s': result.deliveriesPerSecond.toFixed(0),
      'CPU worker µs per delivery': (result.workerMicros / Number(count)).toFixed(0),
      'Redis µs': (result.redisMicros / Number(count)).toFixed(0),
      lost: String(result.lost),
    })),
  );
  const [one, hundred] = [results.get('1'), results.get('100')] as [DestinationsResult, DestinationsResult];
  const cost = (figure: 'workerMicros' | 'redisMicros'): string => ((hundred[figure] - one[figure]) / 99).toFixed(0);
  console.log(
    `\nOne more destination costs each event ${cost('workerMicros')} µs of the worker's CPU and ${cost('redisMicros')} of Redis's`,
  );
};

/** Lets the programs take turns, each time on an empty Redis; returns the median of each figure of each program. */
const rounds = async <Name extends string, Result extends Record<keyof Result, number>>(
  names: readonly Name[],
  count: number,
  measure: (name: Name) => Promise<Result>,
): Promise<Map<Name, Result>> => {
  const results = new Map<Name, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const name of names) {
      await client.flushall();
      results.get(name)?.push(await measure(name));
    }
  }
  return new Map([...results].map(([name, all]) => [name, medians(all)]));
};

const medians = <Result extends Record<keyof Result, number>>(results: readonly Result[]): Result => {
  const figures = Object.keys(results[0] as Result) as (keyof Result)[];
  const middle = (figure: keyof Result): number =>
    results.map((result) => result[figure] as number).sort((a, b) => a - b)[Math.floor(results.length / 2)] as number;
  return Object.fromEntries(figures.map((figure) => [figure, middle(figure)])) as Result;
};

const table = (rows: readonly Readonly<Record<string, string>>[]): void => {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number => Math.max(column.length, ...rows.map((row) => row[column]?.length ?? 0));
  const line = (cell: (column: string) => string): string =>
    columns
      .map((column, i) => (i === 0 ? cell(column).padEnd(width(column)) : cell(column).padStart(width(column))))
      .join('  ');
  console.log(line((column) => column));
  for (const row of rows) console.log(line((column) => row[column] ?? ''));
};

const part = process.argv[2];
try {
  if (part === undefined || part === 'ingest') await benchIngest();
  if (part === undefined || part === 'end-to-end') await benchEndToEnd();
  if (part === 'leases') await benchLeases();
  if (part === 'destinations') await benchDestinations();
} finally {
  client.disconnect();
  await redis.stop();
}
