import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyJson, writers } from '../test/json-values.ts';
import { elementSources, nestsDeeperThan } from './element-sources.ts';

const cut = (text: string) => Object.fromEntries(elementSources(text));

describe('the text of each element', () => {
  it('is cut out as it was written', () => {
    expect(
      cut('{"event":{"moText":[ {"a" : 12345678901234567890} , {"a":1,"a":2}\n],"x":[1, "]" ,null,[{}]]}}'),
    ).toEqual({
      moText: ['{"a" : 12345678901234567890}', '{"a":1,"a":2}'],
      x: ['1', '"]"', 'null', '[{}]'],
    });
  });

  it('is found behind members of any sort', () => {
    expect(cut('{"a":"}\\"]","b":[{"event":{"x":[1]}}],"event":{},"event":{"moText":[true]},"c":1e5}')).toEqual({
      moText: ['true'],
    });
  });

  it('is that of the last key when keys are given twice, as for JSON.parse', () => {
    const text = '{"event":{"a":[1],"b":[2],"a":[3,4]},"\\u0065vent":{"c":5,"\\u0063":[6]}}';
    expect(cut(text)).toEqual({ c: ['6'] });
    expect(JSON.parse(text).event).toEqual({ c: [6] });
  });

  it('ends where a long string ends, whatever is escaped in it', () => {
    for (const tail of ['', '\\', '\\\\', '"', '\\"', '\\\\"', '"\\']) {
      for (let length = 55; length < 75; length++) {
        const element = JSON.stringify({ content: 'x'.repeat(length) + tail + tail });
        expect(cut(`{"event":{"moText":[${element},1]}}`)).toEqual({ moText: [element, '1'] });
      }
    }
  });

  it('says the same as JSON.parse for any JSON written in any way', () => {
    const events = fc.dictionary(fc.string({ unit: 'binary' }), fc.array(anyJson), { maxKeys: 4 });
    const others = fc.dictionary(fc.string({ unit: 'binary' }), anyJson, { maxKeys: 3 });
    fc.assert(
      fc.property(events, others, writers({ shuffle: false }), (event, before, { write }) => {
        const text = write({ ...before, event });
        const parsed = JSON.parse(text).event as Record<string, unknown[]>;
        const sources = elementSources(text);
        expect([...sources.keys()].sort()).toEqual(Object.keys(parsed).sort());
        for (const [type, elements] of Object.entries(parsed)) {
          expect(sources.get(type)?.map((source) => JSON.parse(source))).toEqual(elements);
        }
      }),
    );
  });
});

describe('nesting', () => {
  it('is counted outside strings only', () => {
    expect(nestsDeeperThan(2, '{"a":[1,"[[[[\\"[[["]}')).toBe(false);
    expect(nestsDeeperThan(1, '{"a":[1]}')).toBe(true);
    expect(nestsDeeperThan(1, '[[')).toBe(true);
  });

  it('is bounded without a fault for what is no JSON', () => {
    for (const text of ['', '"', '"\\', ']]]]', '{"a', '[}]{', '\u0000']) expect(nestsDeeperThan(3, text)).toBe(false);
  });

  it('agrees with the depth of the parsed value', () => {
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    fc.assert(
      fc.property(anyJson, writers({ shuffle: false }), (value, { write }) => {
        const text = write(value);
        expect(nestsDeeperThan(depth(value), text)).toBe(false);
        if (depth(value) > 0) expect(nestsDeeperThan(depth(value) - 1, text)).toBe(true);
      }),
    );
  });
});
