import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { checkTransform } from './transform-check.ts';
import { builtInNames } from './transform-names.ts';

test('the list of functions is that of the library', async () => {
  const library = await readFile(createRequire(import.meta.url).resolve('jsonata'), 'utf8');
  const bound = [...library.matchAll(/\.bind\('(\w+)',/g)].map(([, name]) => name as string);
  expect(builtInNames()).toEqual([...new Set(bound)].sort());
  for (const name of builtInNames()) expect(await jsonata(`$type($${name})`).evaluate({})).toBe('function');
});

test.each([
  ['$uppercas(data.text)', 'calls or reads $uppercas, which nobody defines; did you mean $uppercase? at column 1'],
  ['{ "a": data.text ~> $shout }', 'calls or reads $shout, which nobody defines, at column 21'],
  ['{\n "a": $map(data.list, $double) }', 'calls or reads $double, which nobody defines, at line 2, column 23'],
  ['data.text & $greeting', 'calls or reads $greeting, which nobody defines, at column 13'],
])('%s is refused', (expression, message) => {
  expect(checkTransform(expression)).toBe(`transform ${message}`);
});

test.each([
  ['$f := function($x, $y) { $x + $y }'],
  ['($shout := $uppercase; data.text ~> $shout)'],
  ['data.list@$one#$at.{ "one": $one, "at": $at, "all": $$.data, "this": $ }'],
  ['$map(data.list, function($v, $i) { $v * $i })'],
  ['$now() & $string($millis()) & $base64encode(data.text)'],
  ['λ($p){$p}(1) ~> |$|{"a": $sum([1])}|'],
])('%s is not', (expression) => {
  expect(checkTransform(expression)).toBeUndefined();
});
