import type { Event } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepsTaken } from './budget.ts';
import { compileFilter, InvalidFilterError } from './filter.ts';

const SIXTEEN = `[${Array(16).fill(0).join()}]`;
const long = 'a'.repeat(100_000);
/** Letters in no order, and the same each time. */
let state = 1;
const mixed = Array.from({ length: 20_000 }, () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state & 0x80000000 ? 'a' : 'b';
}).join('');

/** An event as large as a callback may make it. */
const event = {
  id: 'evt_AAAAAAAAAAAAAAAAAAAAAA',
  type: 'moText',
  channel: 'whatsapp',
  from: '27000000001',
  receivedAt: '2026-11-23T08:00:00.000Z',
  data: {
    text: long,
    digits: '1'.repeat(1_000),
    brackets: '['.repeat(5_000) + ']'.repeat(5_000),
    needle: `${'a'.repeat(5_000)}b${'a'.repeat(5_000)}`,
    mixed: `${mixed}c`,
    pattern: '(a|b)*a(a|b){30}(c|d)$',
  },
  raw: {
    list: Array.from({ length: 20_000 }, (_, index) => ({ index, name: `item ${index}` })),
    texts: Array.from({ length: 1_500 }, () => long),
    map: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key ${index * 7}`, index])),
  },
} as unknown as Event;

const nested = (macro: string, depth: number): string =>
  Array.from({ length: depth }, (_, level) => level).reduce(
    (inner, level) => `${SIXTEEN}.${macro}(v${level}, ${inner})`,
    'true',
  );

/** `twice` makes a larger value of the one before, so many times. */
const doubled = (first: string, twice: (name: string) => string, times: number, last: (name: string) => string) => {
  const names = Array.from({ length: times + 1 }, (_, index) => `v${index}`);
  const binds = names.map((name, index) => `cel.bind(${name}, ${index === 0 ? first : twice(`v${index - 1}`)}, `);
  return `${binds.join('')}${last(`v${times}`)}${')'.repeat(times + 1)}`;
};

const GIVEN_UP: Record<string, string> = {
  'loops within loops': nested('all', 7),
  'loops that build lists': `size(${nested('map', 7)}) > 0`,
  'a list that doubles': doubled(
    '[0, 0]',
    (name) => `${name} + ${name}`,
    24,
    (name) => `size(${name}) > 0`,
  ),
  'a text that doubles': doubled(
    "'ab'",
    (name) => `${name} + ${name}`,
    27,
    (name) => `${name}.contains('c')`,
  ),
  'bytes that double': doubled(
    "bytes('ab')",
    (name) => `${name} + ${name}`,
    27,
    (name) => `size(${name}) > 0`,
  ),
  'lists that hold one list twice, compared': `cel.bind(a, ${doubled(
    '[0]',
    (name) => `[${name}, ${name}]`,
    30,
    (name) => name,
  )}, cel.bind(b, ${doubled(
    '[0]',
    (name) => `[${name}, ${name}]`,
    30,
    (name) => name,
  )}, a == b))`,
  'a loop over all of a large event':
    "event.raw.list.all(one, event.raw.list.all(other, one.name != other.name + 'x'))",
  'a long list, compared in a loop': `${SIXTEEN}.all(x, event.raw.list == event.raw.list.map(y, y))`,
  'errors, one for each element': "event.raw.list.exists(one, one.nothing == 'x')",
  'errors beside each other': `${SIXTEEN}.all(a, ${SIXTEEN}.all(b, ${SIXTEEN}.all(c, event.nothing == 1 || event.none == 2 || true)))`,
  'a needle that nearly fits everywhere': 'event.data.text.contains(event.data.needle)',
  'a needle that nearly fits, from the end': 'event.data.text.lastIndexOf(event.data.needle) > 0',
  'a text cut to characters': "size(event.data.text.split('')) > 0",
  'texts joined': "event.raw.texts.join('').contains('b')",
  'many long texts': 'event.raw.texts.all(one, one.lowerAscii() == event.data.text)',
  'a pattern that is large': "event.raw.texts.exists(one, one.matches('[a-c]{500}.{400}y|[a-f]{600}x'))",
  'a pattern whose automaton explodes': "event.data.mixed.matches('^(a|b)*a(a|b){30}(c|d)$')",
  'a pattern made from the event': 'event.data.mixed.matches(event.data.pattern)',
  'patterns made from the event': 'event.raw.list.exists(one, event.type.matches(one.name))',
  'a duration of digits': "duration(event.data.digits) > duration('1s')",
  'time zones in a loop': `${SIXTEEN}.all(x, timestamp(event.receivedAt).getHours('Africa/Johannesburg') > 0)`,
  'a map of many keys, in a loop': `${SIXTEEN}.all(x, event.raw.map != x)`,
};

const cpuMsOf = (run: () => unknown): number => {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
};

describe('a filter that takes too much', () => {
  it.each(Object.entries(GIVEN_UP))('is given up, which counts as no: %s', (_, filter) => {
    const decide = compileFilter(filter);
    expect(decide(event)).toEqual({
      matches: false,
      problem: expect.stringMatching(/^it takes more than 50000 steps, at column \d+$/),
      gaveUpAt: expect.any(Number),
    });
    const times = [1, 2, 3].map(() => cpuMsOf(() => decide(event)));
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it('is given up where an error would count for nothing', () => {
    const nasty = nested('all', 7);
    for (const filter of [`${nasty} || true`, `!(${nasty} && false)`, `[1, 2].exists(x, x == 2 || ${nasty})`]) {
      expect(compileFilter(filter)(event)).toMatchObject({ matches: false, gaveUpAt: expect.any(Number) });
    }
  });

  it('says where', () => {
    expect(compileFilter(`event.type == 'moText' && ${nested('all', 7)}`)(event).gaveUpAt).toBeGreaterThan(26);
  });

  it.each([
    [
      'a map as key of a map',
      doubled(
        '{1: 1}',
        (name) => `{${name}: ${name}}`,
        24,
        () => 'true',
      ),
      'a key of a map must be a text, a number or a bool, at column 35',
    ],
    [
      'a pattern of very many instructions',
      `event.type.matches('${'(x{1000})'.repeat(200)}')`,
      'the patterns of a filter have at most 3000 characters',
    ],
    [
      'patterns that are large together',
      Array(4).fill("event.type.matches('x{999}')").join(' || '),
      'the patterns of a filter have at most 3000',
    ],
    ['a depth that could overflow the stack', `${'!'.repeat(1_900)}true`, 'nests too deep'],
  ])('is refused when it is saved: %s', (_, filter, message) => {
    const times = [1, 2].map(() => cpuMsOf(() => expect(() => compileFilter(filter)).toThrow(message)));
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it('of depth, JSON of the event is refused too', () => {
    const deep = compileFilter('bytes(event.data.brackets).json() == {}');
    expect(deep(event)).toEqual({ matches: false, problem: 'cannot be decided' });
  });
});

describe('a filter of the usual size', () => {
  it.each([
    ["event.channel == 'whatsapp' && event.data.text.contains('STOP')", 10_000],
    ["event.data.text.matches('(?i)\\\\b(stop|unsubscribe|cancel|end|quit)\\\\b')", 20_000],
    ["timestamp(event.receivedAt).getHours('Africa/Johannesburg') >= 8", 10_000],
    ["event.type in ['moText', 'moMedia', 'moLocation'] && event.from.startsWith('27')", 100],
  ])('has steps to spare: %s', (filter, most) => {
    const usual = { ...event, data: { text: 'I would like to order. '.repeat(178) } } as unknown as Event;
    const decide = compileFilter(filter);
    expect(decide(usual).problem).toBeUndefined();
    expect(stepsTaken()).toBeLessThan(most);
  });

  it('looks at every element of a long list', () => {
    const items = Array.from({ length: 1_500 }, (_, index) => ({ index, name: `item ${index}` }));
    const decide = compileFilter("event.raw.items.exists(item, item.index > 1498.0 && item.name == 'item 1499')");
    expect(decide({ ...event, raw: { items } } as unknown as Event)).toEqual({ matches: true });
  });
});

/** Expressions that mean much work, put together at random. */
const nastyFilter = fc.letrec<{ list: string; text: string; bool: string }>((tie) => {
  const [list, text, bool] = [tie('list'), tie('text'), tie('bool')];
  const variable = fc.constantFrom('x', 'y', 'z');
  const join = (template: (a: string, b: string, name: string) => string, a = list, b = bool) =>
    fc.tuple(a, b, variable).map(([one, other, name]) => template(one, other, name));
  return {
    list: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.constantFrom('event.raw.list', 'event.raw.texts', '[1, 2, 3]', SIXTEEN),
      join((a, b, name) => `${a}.map(${name}, ${b})`, list, text),
      join((a, b, name) => `${a}.filter(${name}, ${b})`),
      join((a, b) => `(${a} + ${b})`, list, list),
      join((a, b) => `${a}.split(${b})`, text, text),
      join((a, _, name) => `cel.bind(${name}, ${a}, [${name}, ${name}])`),
    ),
    text: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.constantFrom(
        'event.data.text',
        'event.data.mixed',
        'event.data.needle',
        'event.data.digits',
        "'ab'",
        'event.data.pattern',
      ),
      join((a, b) => `(${a} + ${b})`, text, text),
      join((a, b) => `${a}.join(${b})`, list, text),
      join((a, _, name) => `cel.bind(${name}, ${a}, ${name} + ${name})`, text),
      join((a) => `${a}.upperAscii()`, text),
      join((a) => `string(bytes(${a}))`, text),
      join((a) => `string(size(${a}))`, text),
    ),
    bool: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.constantFrom('true', 'event.nothing', "timestamp(event.receivedAt).getHours('Asia/Tokyo') > 3"),
      join((a, b, name) => `${a}.all(${name}, ${b})`),
      join((a, b, name) => `${a}.exists(${name}, ${b})`),
      join((a, b, name) => `${a}.exists_one(${name}, ${b})`),
      join((a, b) => `(${a} || ${b})`, bool),
      join((a, b) => `(${a} == ${b})`, list, list),
      join((a, b) => `(${a} in ${b})`, list, list),
      join((a, b) => `${a}.matches(${b})`, text, text),
      join((a, b) => `${a}.contains(${b})`, text, text),
      join((a, b) => `(${a}.lastIndexOf(${b}) > 3)`, text, text),
      join((a, b) => `(duration(${a}) > duration(${b}))`, text, text),
    ),
  };
}).bool;

describe('any filter', () => {
  it('ends within its budget, and within little processor time', { timeout: 120_000 }, () => {
    let dearest = 0;
    fc.assert(
      fc.property(nastyFilter, (text) => {
        let decide: ReturnType<typeof compileFilter>;
        try {
          decide = compileFilter(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidFilterError);
          return;
        }
        const ms = cpuMsOf(() => decide(event));
        dearest = Math.max(dearest, ms);
        if (process.env['SHOW'] && ms > 30) console.log(ms.toFixed(0), stepsTaken(), text.slice(0, 300));
        expect(ms, 'something is not priced').toBeLessThan(1_000);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 300), seed: Number(process.env['SEED'] ?? 7) },
    );
    if (process.env['SHOW']) console.log('dearest', dearest);
  });
});
