import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { waitUntil } from '@clickrelay/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { openTransformer, TransformError, type Transformer } from './transform.ts';
import { checkTransform } from './transform-check.ts';

const open: Transformer[] = [];
afterEach(() => {
  for (const transformer of open.splice(0)) transformer.close();
});

const transformer = (expression: string): Transformer => {
  const opened = openTransformer(expression);
  open.push(opened);
  return opened;
};
const never = new AbortController().signal;
const event = { type: 'moText', from: '2799900001', data: { text: 'secret text', n: 5, list: [1, 2, 3] } };
const run = (expression: string, input: unknown = event, signal = never) =>
  transformer(expression).transform(JSON.stringify(input), signal);
const failureOf = async (expression: string, input: unknown = event) => {
  const error = await run(expression, input).catch((caught: unknown) => caught);
  if (error instanceof TransformError) return error;
  throw new Error('expected a TransformError', { cause: error });
};

/** Processes that this one has started, and that still run. */
const children = async (): Promise<number[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return stdout
    .split('\n')
    .filter((line) => line.includes('transform-process'))
    .map((line) => Number.parseInt(line, 10));
};

describe('an expression', () => {
  test.each([
    ['{ "a": data.text, "b": data.n + 1 }', { a: 'secret text', b: 6 }],
    ['data.text', 'secret text'],
    ['data.list[$ > 1]', [2, 3]],
    ['null', null],
    ['$', event],
    // Functions are left out, as in JSON.
    ['{ "f": $uppercase, "g": function($x) { $x }, "n": 1 }', { n: 1 }],
  ])('%s', async (expression, output) => {
    expect(JSON.parse(await run(expression))).toEqual(output);
  });

  test.each([
    ['Привет 👋🏽 café', '0J/RgNC40LLQtdGCIPCfkYvwn4+9IGNhZsOp'],
    ['plain', 'cGxhaW4='],
    ['', ''],
  ])('writes %j in base64 as UTF-8, and reads it back', async (text, base64) => {
    const input = { data: { text } };
    expect(await run('{"b": $base64encode(data.text)}', input)).toBe(JSON.stringify({ b: base64 }));
    expect(await run('data.text.$base64encode()', input)).toBe(JSON.stringify(base64));
    expect(await run('$base64decode($base64encode(data.text))', input)).toBe(JSON.stringify(text));
    expect(await run('[$base64encode(data.none), $base64decode(data.none)]', input)).toBe('[]');
  });

  test('remembers nothing of one event for the next', async () => {
    const counting = transformer('$n := $exists($n) ? $n + 1 : 1');
    expect(await counting.transform('{}', never)).toBe('1');
    expect(await counting.transform('{}', never)).toBe('1');
  });

  test.each([
    ['missing', 'gives nothing for this event'],
    ['$uppercase', 'gives nothing for this event'],
    [
      '$number(data.text)',
      'cannot be evaluated for this event: a value cannot be read as a number (D3030, at column 9)',
    ],
    ['$error(data.text)', 'cannot be evaluated for this event: $error was called (D3137, at column 8)'],
    [
      '(\n  $x := 1;\n  data.text + 1)',
      'cannot be evaluated for this event: the left side is not a number (T2001, at line 3, column 13)',
    ],
    ['$toMillis(data.text)', 'cannot be evaluated for this event: a time is not ISO 8601 (D3110, at column 11)'],
    ['$eval(data.text)', 'cannot be evaluated for this event: an error (D3120, at column 7)'],
    ['$reduce([1..19], function($all, $one) { $all & $all }, "0123456789")', 'gives more than 4 MiB for this event'],
    ['$match(data.text, /(s+)+$/)', 'gives nothing for this event'],
    [
      '$base64decode("/w==")',
      'cannot be evaluated for this event: $base64decode takes UTF-8 text in base64, and was given something else (BASE64, at column 15)',
    ],
    [
      '$base64decode("secret text!")',
      'cannot be evaluated for this event: $base64decode takes UTF-8 text in base64, and was given something else (BASE64, at column 15)',
    ],
  ])('%s gives no output, and the reason quotes nothing of the event', async (expression, reason) => {
    const error = await failureOf(expression);
    expect(error).toMatchObject({ message: `its transform ${reason}`, retryable: false });
  });

  test.each([
    ['a pattern that tries for ever', '$match(text, /(a+)+$/)'],
    ['an endless loop', '($f := function($x) { $f($x + 1) }; $f(1))'],
    ['an endless recursion', '($f := function($x) { 1 + $f($x + 1) }; $f(1))'],
    ['one very large array', '[1..9999999]'],
    ['very many strings', '$map([1..1000000], function($x) { $pad("", 1000) })'],
    ['very long strings', '$split($pad("x", 100000000), "")'],
    ['one very long string', '$length($pad("x", 400000000) & $pad("y", 400000000))'],
  ])('%s ends, and this process goes on', async (_, expression) => {
    const input = { text: `${'a'.repeat(40)}!` };
    const error = await failureOf(expression, input);
    expect(error.message).toMatch(
      /^its transform (takes more than 250 ms of processor time|takes more than 256 MB of memory|cannot be evaluated) for this event/,
    );
    expect(error.retryable).toBe(false);
    expect(await run('text', input)).toBe(JSON.stringify(input.text));
  });
});

describe('the process', () => {
  test('is there while there is a transform, and has none of our environment', async () => {
    expect(await children()).toEqual([]);
    const idle = transformer('type');
    expect(await children()).toEqual([]);
    const second = transformer('from');
    expect(await Promise.all([idle.transform('{"type":1}', never), second.transform('{"from":2}', never)])).toEqual([
      '1',
      '2',
    ]);
    const [pid, ...others] = await children();
    expect(others).toEqual([]);
    if ((await readdir('/proc').catch(() => [])).length > 0) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      // The channel to its parent is Node's own.
      expect(environment.split('\0').filter((line) => line !== '' && !line.startsWith('NODE_CHANNEL_'))).toEqual([]);
    }
    idle.close();
    expect(await children()).toEqual([pid]);
    second.close();
    await waitUntil(async () => (await children()).length === 0);
  });

  test('that was killed from outside makes no dead letter', async () => {
    const one = transformer('($f := function($x) { $f($x + 1) }; $f(1))');
    const ending = one.transform('{}', never).catch((error: unknown) => error);
    const [pid] = await waitUntil(async () => {
      const found = await children();
      return found.length > 0 ? found : undefined;
    });
    process.kill(pid as number, 'SIGKILL');
    expect(await ending).toMatchObject({ retryable: true });
    expect(await run('1')).toBe('1');
  });

  test('ends by itself when its parent was killed, also in the middle of a loop', async () => {
    const file = new URL('./transform.ts', import.meta.url).href;
    const script = `
      const { openTransformer } = await import(${JSON.stringify(file)});
      const one = openTransformer('$match(text, /(a+)+$/)');
      one.transform(JSON.stringify({ text: 'a'.repeat(60) + '!' }), new AbortController().signal).catch(() => {});
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 150);`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]).catch(() => {});
    await waitUntil(async () => {
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'ppid=,args=']);
      return !stdout.split('\n').some((line) => /^\s*1 .*transform-process/.test(line));
    });
  });

  test('is shared by what it was used: slow transforms take no more than their share from the others', async () => {
    const busy = '$sum($map([1..1000], function($x) { $x }))';
    const [slow, quick] = [transformer(busy), transformer('text')];
    const input = JSON.stringify({ text: 'b' });
    await Promise.all([quick.transform(input, never), slow.transform(input, never)]);
    const order: string[] = [];
    const slowly = Array.from({ length: 3 }, () => slow.transform(input, never).then(() => order.push('slow')));
    const quickly = Array.from({ length: 50 }, () => quick.transform(input, never).then(() => order.push('quick')));
    await Promise.all([...slowly, ...quickly]);
    // The first slow one was before them; the second waits for all of them.
    expect(order.lastIndexOf('quick')).toBeLessThan(order.indexOf('slow', order.indexOf('slow') + 1));
  });

  test('is not the one of a transform that had to be stopped: the others never wait for it', async () => {
    const [looping, quick] = [transformer('$match(text, /(a+)+$/)'), transformer('text')];
    const input = JSON.stringify({ text: `${'a'.repeat(40)}!` });
    const loop = () => looping.transform(input, never).then(String, (error: Error) => error.name);
    expect(await loop()).toBe('TransformError');
    await quick.transform(input, never);
    const [ordinary] = await children();
    const order: string[] = [];
    const loops = Array.from({ length: 3 }, () => loop().then((end) => order.push(end)));
    // The second process is there when the loop runs.
    await waitUntil(async () => (await children()).length === 2);
    for (let count = 0; count < 50; count++) await quick.transform(input, never);
    order.push('quick');
    await Promise.all(loops);
    // One of them may have ended while the processes were counted.
    expect(order.slice(-2)).toEqual(['TransformError', 'TransformError']);
    expect(await children()).toContain(ordinary);
  });

  test('is the ordinary one again for a transform that has been quick a hundred times', async () => {
    const [sometimes, other] = [transformer('($match(text, /(a+)+$/); text)'), transformer('text')];
    const quickly = JSON.stringify({ text: 'b' });
    await sometimes.transform(JSON.stringify({ text: `${'a'.repeat(40)}!` }), never).catch(() => {});
    // The process was stopped; this starts it again.
    await other.transform(quickly, never);
    await sometimes.transform(quickly, never);
    for (let count = 0; count < 98; count++) await sometimes.transform(quickly, never);
    expect(await children()).toHaveLength(2);
    await sometimes.transform(quickly, never);
    await waitUntil(async () => (await children()).length === 1);
    expect(await sometimes.transform(quickly, never)).toBe('"b"');
  });

  test('an aborted attempt does not wait for its turn', async () => {
    const stop = new AbortController();
    const slow = transformer('$match(text, /(a+)+$/)');
    const input = JSON.stringify({ text: `${'a'.repeat(40)}!` });
    const first = slow.transform(input, never).catch(() => 'too slow');
    const second = slow.transform(input, stop.signal).catch((error: Error) => error.name);
    stop.abort();
    expect(await Promise.race([first, second])).toBe('AbortError');
    expect(await slow.transform(input, stop.signal).catch((error: Error) => error.name)).toBe('AbortError');
    await first;
  });
});

describe('checking', () => {
  test.each([['data.text'], ['$match(data.text, /(a+)+$/)'], ['{\n  "a": 1\n}']])('%j is an expression', (text) =>
    expect(checkTransform(text)).toBeUndefined(),
  );

  test.each([
    ['{"a": ', 'Expected "}" before end of expression, at column 7'],
    ['a b', 'Syntax error: "b", at column 3'],
    ['{\n  "a": 1}}', 'Syntax error: "}", at line 2, column 10'],
    ['', 'Unexpected end of expression, at column 1'],
    ['"abc', 'String literal must be terminated by a matching quote, at column 5'],
    ['$match(x, /a**/)', 'a regular expression in it is none'],
    ['$match(x, /a(/)', 'No terminating / in regular expression, at column 16'],
  ])('%j is none, and the place is told', (text, reason) => {
    expect(checkTransform(text)).toBe(`transform must be a JSONata expression: ${reason}`);
  });

  test('a very long one is refused unread', () => {
    expect(checkTransform('('.repeat(10_001))).toBe('transform must have at most 10000 characters, got 10001');
    expect(checkTransform('('.repeat(10_000))).toMatch('transform must be a JSONata expression');
  });
});
