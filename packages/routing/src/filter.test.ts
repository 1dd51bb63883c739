import { type Event, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, InvalidFilterError } from './filter.ts';

const eventOf = (type: keyof typeof samples.byType): Event =>
  (splitCallback(JSON.stringify(samples.byType[type]), '2026-11-23T00:00:00.000Z')[0] as { event: Event }).event;

const text = eventOf('moText');
const status = eventOf('messageStatusUpdate');

describe('a filter', () => {
  it.each([
    ["event.type == 'moText'", true, false],
    ["event.data.text.contains('Content')", true, false],
    ["has(event.data.text) && event.data.text.matches('(?i)^TEXT')", true, false],
    ["event.from.startsWith('27') && event.type != 'messageStatusUpdate'", true, false],
    ["event.type == 'messageStatusUpdate' && event.data.code in [4, 5, 6]", false, true],
    ["event.data.code >= 4.0 || event.channel == 'fax'", false, true],
    ['event.raw.sms.network != null', true, false],
    ["timestamp(event.receivedAt) > timestamp('2026-01-01T00:00:00Z')", true, true],
    ['true', true, true],
    ["event.data.text != '👋 🇿🇦 \\U0001F44B' && event.type == 'moText'", true, false],
    ['10 - (5 - 3) == 8 && (true == (false == false))', true, true],
    ['1.0000000001 != 1.0000000002 && 1e300 > 1e299', true, true],
  ])('%s', (filter, ofText, ofStatus) => {
    const decide = compileFilter(filter);
    expect(decide(text).matches).toBe(ofText);
    expect(decide(status).matches).toBe(ofStatus);
  });

  it('that asks for a field the event does not have does not match, and says why', () => {
    expect(compileFilter("event.data.text == 'x'")(status)).toEqual({ matches: false, problem: 'No such key: text' });
  });

  it('quotes nothing of the event when it cannot be decided', () => {
    const personal = { ...text, data: { text: 'my secret' } } as Event;
    for (const [filter, problem] of [
      ['bool(event.data.text)', 'bool conversion error'],
      ["event.raw[event.data.text] == 'x'", 'no such key'],
      ['timestamp(event.receivedAt).getHours(event.data.text) == 1', 'cannot be decided'],
      ["duration(event.data.text) == duration('1s')", 'invalid duration'],
      ["event.type.matches(event.data.text + '(')", 'not a regular expression (RE2)'],
      ['event.data.text > 1', 'no such overload: dyn<string> > int'],
    ] as const) {
      expect(compileFilter(filter)(personal)).toEqual({ matches: false, problem });
    }
  });

  it('decides without what is missing where the rest is enough', () => {
    expect(compileFilter("event.data.text == 'x' || event.type == 'messageStatusUpdate'")(status).matches).toBe(true);
  });

  it.each([
    ['event.type ==', 'Unexpected token: EOF, at column 14'],
    ["type == 'moText' &&& true", 'Unexpected character: &, at column 20'],
    ['kind == 1', 'Unknown variable: kind (the event is `event`: write event.type), at column 1'],
    ["true && 1 == 'a'", 'no such overload: int == string, at column 9'],
    ["'moText'", 'a filter must be true or false, this one is a string, at column 1'],
    ["event.type.matches('(')", 'not a regular expression (RE2), at column 20'],
    ['', 'Unexpected token: EOF, at column 1'],
  ])('%s is refused, with the column', (filter, message) => {
    expect(() => compileFilter(filter)).toThrow(message);
    expect(() => compileFilter(filter)).toThrow(InvalidFilterError);
  });

  it('is refused when it is too long', () => {
    expect(() => compileFilter(`event.type == '${'x'.repeat(2_000)}'`)).toThrow('at most 2000 characters');
  });

  it('cannot be kept busy by a pattern', () => {
    const decide = compileFilter("event.data.text.matches('(a+)+$')");
    const before = process.threadCpuUsage();
    expect(decide({ ...text, data: { text: `${'a'.repeat(5_000)}b` } } as Event).matches).toBe(false);
    expect(process.threadCpuUsage(before).user).toBeLessThan(5_000_000);
  });

  it('never throws while deciding, whatever the event', () => {
    const filters = [
      "event.data.text.contains('x')",
      "event.from.startsWith('27')",
      'event.data.code > 3',
      "event.raw.a.b[0] == 'x'",
      'size(event.data) > 1 && event.data.exists(key, key == "text")',
    ].map(compileFilter);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, from) => {
        for (const decide of filters) {
          expect(typeof decide({ ...text, data, from, raw: data } as unknown as Event).matches).toBe('boolean');
        }
      }),
    );
  });

  it('refuses or compiles any text, and throws nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (filter) => {
        try {
          compileFilter(filter);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidFilterError);
        }
      }),
    );
  });
});
