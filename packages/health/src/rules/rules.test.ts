import { expect, it } from 'vitest';
import { CASES } from '../../test/cases/all.ts';
import { tell } from '../../test/cases/case.ts';
import { but, NOW } from '../../test/healthy.ts';
import { MEMORY_MS } from '../level.ts';
import type { Level, Rule } from '../rule.ts';
import { RULES } from './index.ts';

const ORDER: readonly string[] = ['info', 'warning', 'critical'];

const toldOf = (rule: Rule): (readonly [name: string, told: readonly string[]])[] =>
  Object.entries(CASES[rule.code] ?? {}).map(([name, facts]) => [name, tell(rule, facts, NOW)]);

it('each condition is told at its thresholds in the words of test/told.txt', async () => {
  const paragraphs = RULES.map((rule) => {
    const lines = toldOf(rule).map(([name, told]) => [`  ${name}`, ...told.map((line) => `    ${line}`)].join('\n'));
    return [rule.code, ...lines].join('\n');
  });
  await expect(`${paragraphs.join('\n\n')}\n`).toMatchFileSnapshot('../../test/told.txt');
});

it('of a healthy relay no condition is told', () => {
  expect(RULES.flatMap((rule) => tell(rule, but(), NOW))).toEqual([]);
});

it('there is a case for each severity of each condition, and one of what nobody can tell', () => {
  const alwaysKnown = ['redis_away', 'redis_refuses', 'no_public_url', 'public_url_not_https'];
  for (const rule of RULES) {
    const told = toldOf(rule).flatMap(([, lines]) => lines);
    const words = new Set(told.map((line) => /^\w+/.exec(line)?.[0]));
    // What waits longer to be critical is a warning until then.
    const isOnTheWay = ({ forMs = 0 }: Level): boolean => rule.levels.some((worse) => (worse.forMs ?? 0) > forMs);
    const severities = rule.levels.filter((level) => !isOnTheWay(level)).map(({ severity }) => severity);
    expect([...words], rule.code).toEqual(expect.arrayContaining(severities));
    expect(words.has('unknown'), rule.code).toBe(!alwaysKnown.includes(rule.code));
  }
});

it('no level waits for longer than it remembers, and severities go from the least to the worst', () => {
  for (const { code, levels } of RULES) {
    for (const { forMs = 0 } of levels) expect(forMs, code).toBeLessThanOrEqual(MEMORY_MS);
    const severities = levels.map(({ severity }): string => severity);
    expect(severities, code).toEqual(ORDER.filter((severity) => severities.includes(severity)));
  }
});

it('each code is one condition, and explains others that exist', () => {
  const codes = RULES.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { code, inhibits = [] } of RULES) for (const other of inhibits) expect(codes, code).toContain(other);
});

it('a sentence begins in lower case or with a name, has no full stop, and every mend says something', () => {
  for (const rule of RULES) {
    for (const facts of Object.values(CASES[rule.code] ?? {})) {
      const seen = rule.look(facts, NOW);
      if ('unknown' in seen) continue;
      for (const one of seen) {
        if ('unknown' in one) continue;
        expect(one.sentence).toMatch(/^(?:[a-z\d]|PUBLIC_URL|Redis|Clickatell).*[^.\s]$/);
        expect(one.sentence).not.toMatch(/NaN|undefined|null|Infinity|\b1 (?:\w+ )?\w+s (?:are|wait)\b/);
        expect(one.mend.text, rule.code).toMatch(/^[a-z].*[^.\s]$/);
      }
    }
  }
});
