import { Worker } from 'node:worker_threads';
import jsonata from 'jsonata';
import { fileBeside } from './file-beside.ts';
import { decodeBase64, encodeBase64 } from './transform-base64.ts';
import { LIMITS, type TransformRequest, type TransformResult } from './transform-limits.ts';

/*
 * The process that runs transforms, one at a time. A thread would not do: when V8 finds no memory for one large array,
 * it ends the whole process, whatever the limits of the thread.
 *
 * A second thread watches, because the first may loop for ever, even after the parent that would end it has died.
 */

/** The processor time of this process when the present evaluation began, in µs; 0 when there is none. */
const startedAt = new Float64Array(new SharedArrayBuffer(8));

const watch = new Worker(fileBeside('transform-watch'), { workerData: { startedAt } });
watch.unref();

const compiled = new Map<string, jsonata.Expression>();
const MAX_COMPILED = 1_000;

const compile = (expression: string): jsonata.Expression => {
  let present = compiled.get(expression);
  if (present === undefined) {
    present = jsonata(expression);
    present.registerFunction('base64encode', encodeBase64, '<s-:s>');
    present.registerFunction('base64decode', decodeBase64, '<s-:s>');
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(expression, present);
  }
  return present;
};

/** Drops functions, which JSON does not have: those of JSONata are objects that refer to everything in their scope. */
const withoutFunctions = (_: string, value: { _jsonata_function?: unknown; _jsonata_lambda?: unknown } | null) =>
  value?._jsonata_function === true || value?._jsonata_lambda === true ? undefined : value;

const transform = async ({ expression, input }: TransformRequest): Promise<TransformResult> => {
  try {
    const value: unknown = await compile(expression).evaluate(JSON.parse(input));
    const output = JSON.stringify(value, withoutFunctions) as string | undefined;
    if (output === undefined) return { failed: 'nothing' };
    return Buffer.byteLength(output) > LIMITS.outputBytes ? { failed: 'output' } : { output };
  } catch (error) {
    const { code, position, token } = error as Partial<jsonata.JsonataError>;
    if (typeof code !== 'string') return { failed: 'error', code: error instanceof Error ? error.name : 'unknown' };
    return {
      failed: 'error',
      code,
      ...(position !== undefined && { position }),
      ...(token !== undefined && { token }),
    };
  }
};

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

process.on('message', async (request: TransformRequest) => {
  const since = processorTime();
  startedAt[0] = since;
  const result = await transform(request);
  startedAt[0] = 0;
  process.send?.({ ...result, usedMs: (processorTime() - since) / 1000 });
});
process.on('disconnect', () => process.exit());
// A terminal or a service manager signals the whole group. The parent lets running attempts end, so this process goes
// on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.send?.('ready');
