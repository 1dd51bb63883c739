import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECEIVED_AT, restore } from '../test/events.ts';
import { anyJson, holdsProtoKey, writers } from '../test/json-values.ts';
import { sampleElement } from '../test/samples.ts';
import { KNOWN_EVENT_TYPES, type KnownEventType, knownTypes } from './data.ts';
import { InvalidCallbackError } from './errors.ts';
import { eventSchema, isKnownEvent, restoreEvent, splitCallback } from './event.ts';

describe('splitting', () => {
  it('keeps the order of the callback', () => {
    const body = '{"event":{"moText":[{"content":"a"},{"content":"b"}],"moSticker":[1],"messageStatusUpdate":[{}]}}';
    expect(splitCallback(body, RECEIVED_AT).map(({ event, source }) => [event.type, source])).toEqual([
      ['moText', '{"content":"a"}'],
      ['moText', '{"content":"b"}'],
      ['moSticker', '1'],
      ['messageStatusUpdate', '{}'],
    ]);
  });

  it('refuses what parseCallback refuses', () => {
    expect(() => splitCallback('{"event":1}', RECEIVED_AT)).toThrow(InvalidCallbackError);
  });

  it('keeps any JSON value in any field, in `raw` and in `source`, and restores the same event', () => {
    const element = fc
      .tuple(fc.constantFrom(...KNOWN_EVENT_TYPES, 'moSticker'), anyJson, anyJson)
      .chain(([type, a, b]) => {
        const fields = type === 'moSticker' ? ['anything'] : Object.keys(knownTypes[type as KnownEventType].wire.shape);
        const fit = type === 'moSticker' ? {} : sampleElement(type);
        const inField = fc.constantFrom(...fields).map((field): unknown => ({ ...fit, [field]: a, unheard: b }));
        return fc.tuple(fc.constant(type), fc.oneof(inField, fc.constant(a)));
      });
    fc.assert(
      fc.property(element, writers({ shuffle: true }), ([type, value], { write }) => {
        const body = write({ integrationName: 'n', event: { [type]: [value, value] }, integrationId: 'i' });
        if (holdsProtoKey(value)) {
          expect(() => splitCallback(body, RECEIVED_AT)).toThrow(InvalidCallbackError);
          return;
        }
        const events = splitCallback(body, RECEIVED_AT);
        expect(events).toHaveLength(2);
        for (const { event, source } of events) {
          expect(event.raw).toEqual(value);
          expect(JSON.parse(source)).toEqual(value);
          const { integrationId, integrationName, receivedAt } = event;
          expect(restoreEvent({ type, integrationId, integrationName, receivedAt, source })).toEqual({ event, source });
          expect(eventSchema.safeParse(event).error).toBeUndefined();
          if (isKnownEvent(event)) expect(knownTypes[event.type].data.safeParse(event.data).error).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('pollutes no prototype, whatever a store gives back', () => {
    for (const type of [...KNOWN_EVENT_TYPES, 'moSticker']) {
      restore(
        type,
        '{"__proto__":{"polluted":1},"contacts":[{"__proto__":{"polluted":1},"name":{"__proto__":{"polluted":1}}}]}',
      );
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('restores nothing from what is no JSON, and says so without repeating it', () => {
    expect(() => restore('moText', 'canary')).toThrow('stored event must be JSON, got 6 characters that do not parse');
  });
});
