import { type Event, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { describe, expect, it } from 'vitest';
import { openRoute } from './route.ts';

const eventOf = (type: keyof typeof samples.byType): Event =>
  (splitCallback(JSON.stringify(samples.byType[type]), '2026-11-23T00:00:00.000Z')[0] as { event: Event }).event;

describe('a route', () => {
  it('wants what passes every rule, and explains each of them', () => {
    const route = openRoute({
      events: ['mo*'],
      channels: ['sms'],
      classes: ['failed'],
      filter: "event.data.text.contains('nothing like it')",
    });
    const event = eventOf('moText');
    expect(route.wants(event)).toBe(false);
    expect(route.explain(event)).toEqual([
      { rule: 'events', passed: true, detail: 'wants mo*; this is moText' },
      { rule: 'channels', passed: true, detail: 'wants sms; this is whatsapp/sms' },
      { rule: 'filter', passed: false, detail: 'false' },
    ]);
  });

  it('says of a status which class it is of', () => {
    const route = openRoute({ events: ['*'], classes: ['failed'] });
    const event = eventOf('messageStatusUpdate');
    expect(route.explain(event)[1]).toEqual({
      rule: 'classes',
      passed: event.data['class'] === 'failed',
      detail: `wants failed; this is ${event.data['class']}`,
    });
    expect(route.wants(event)).toBe(event.data['class'] === 'failed');
  });

  it('says what is missing when a filter cannot be decided, and no word of the message', () => {
    const [, rule] = openRoute({ events: ['*'], filter: "event.data.text == 'x'" }).explain(
      eventOf('messageStatusUpdate'),
    );
    expect(rule).toEqual({
      rule: 'filter',
      passed: false,
      detail: 'cannot be decided, which counts as no: No such key: text',
    });
  });
});
