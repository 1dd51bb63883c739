import { startRedis } from '@clickrelay/testkit';
import { Redis } from 'ioredis';
import { type EndToEndResult, measureEndToEnd, type Pipeline } from './end-to-end.ts';
import { type IngestResult, measureIngest, type Receiver } from './ingest.ts';

/*
 * `pnpm bench`: all of it in one go, on one Redis with `appendfsync always`, each program one process. Absolute numbers
 * differ from machine to machine; the ratios are what counts. Rounds take turns, and the median of each is shown.
 */

const ROUNDS = 3;
const END_TO_END_ROUNDS = 2;

const median = <Result>(results: Result[], by: (result: Result) => number): Result =>
  [...results].sort((a, b) => by(a) - by(b))[Math.floor(results.length / 2)] as Result;

const table = (rows: Record<string, string>[]): void => {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number => Math.max(column.length, ...rows.map((row) => (row[column] ?? '').length));
  const line = (cell: (column: string) => string): string =>
    columns
      .map((column, i) => (i === 0 ? cell(column).padEnd(width(column)) : cell(column).padStart(width(column))))
      .join('  ');
  console.log(line((column) => column));
  for (const row of rows) console.log(line((column) => row[column] ?? ''));
};

const rounds = async <Name extends string, Result>(
  names: readonly Name[],
  count: number,
  measure: (name: Name) => Promise<Result>,
): Promise<Map<Name, Result[]>> => {
  const results = new Map<Name, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const name of names) {
      await client.flushall();
      results.get(name)?.push(await measure(name));
    }
  }
  return results;
};

const redis = await startRedis();
const client = new Redis(redis.url);
try {
  console.log('Ingest: callbacks answered 200, each on disk first; 64 connections\n');
  const names: Receiver[] = ['limit', 'everyone', 'clickrelay'];
  const labels: Record<Receiver, string> = {
    limit: 'limit: node:http + JSON.parse + pipelined XADD',
    everyone: 'Koa + koa-body + zod + queue.add per event',
    clickrelay: 'Clickrelay receiver',
  };
  const ingest = await rounds(names, ROUNDS, (name) => measureIngest(name, redis));
  const best = (name: Receiver): IngestResult =>
    median(ingest.get(name) as IngestResult[], ({ perSecond }) => perSecond);
  table(
    names.map((name) => {
      const result = best(name);
      return {
        server: labels[name],
        'requests/s': result.perSecond.toFixed(0),
        'p50 ms': result.p50Ms.toFixed(1),
        'p99 ms': result.p99Ms.toFixed(1),
        'CPU node µs': result.nodeMicros.toFixed(0),
        'CPU Redis µs': result.redisMicros.toFixed(0),
        refused: String(result.refused),
      };
    }),
  );
  const ours = best('clickrelay').perSecond;
  console.log(`\nClickrelay / limit     ${(ours / best('limit').perSecond).toFixed(2)}`);
  console.log(`Clickrelay / everyone  ${(ours / best('everyone').perSecond).toFixed(2)}`);

  console.log('\nEnd to end: callback to delivery at one local destination\n');
  const pipelines: Pipeline[] = ['everyone', 'clickrelay'];
  const pipelineLabels: Record<Pipeline, string> = {
    everyone: 'Koa + queue.add, BullMQ Worker + fetch',
    clickrelay: 'Clickrelay receiver + worker',
  };
  const ends = await rounds(pipelines, END_TO_END_ROUNDS, (name) => measureEndToEnd(name, redis));
  const middle = (name: Pipeline): EndToEndResult =>
    median(ends.get(name) as EndToEndResult[], ({ eventsPerSecond }) => eventsPerSecond);
  table(
    pipelines.map((name) => {
      const result = middle(name);
      return {
        pipeline: pipelineLabels[name],
        'events/s': result.eventsPerSecond.toFixed(0),
        'p50 ms at 200/s': result.p50Ms.toFixed(1),
        'p99 ms': result.p99Ms.toFixed(1),
        'CPU receiver µs': result.receiverMicros.toFixed(0),
        'worker µs': result.workerMicros.toFixed(0),
        'Redis µs': result.redisMicros.toFixed(0),
        lost: String(result.lost),
      };
    }),
  );
  const rate = (name: Pipeline): number => middle(name).eventsPerSecond;
  console.log(`\nClickrelay / everyone  ${(rate('clickrelay') / rate('everyone')).toFixed(2)} events/s`);
  console.log(
    `                       ${(middle('clickrelay').p50Ms / middle('everyone').p50Ms).toFixed(2)} of its p50 at 200 events/s`,
  );
} finally {
  client.disconnect();
  await redis.stop();
}
