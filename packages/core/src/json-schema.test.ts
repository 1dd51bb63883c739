import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { replyEnvelope, sampleElement, statusEnvelope } from '../test/samples.ts';
import { KNOWN_EVENT_TYPES } from './data.ts';
import { splitCallback } from './event.ts';
import { jsonSchemas } from './json-schema.ts';

const accepts = (name: string, value: unknown) => z.fromJSONSchema(jsonSchemas[name] as never).safeParse(value).success;

describe('the JSON Schemas', () => {
  it('are of the event, the callback, and each type as sent and as told', () => {
    expect(Object.keys(jsonSchemas)).toEqual([
      'Event',
      'Callback',
      ...KNOWN_EVENT_TYPES.flatMap((type) => [type, `${type}.data`]),
    ]);
    for (const schema of Object.values(jsonSchemas)) {
      expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
    }
  });

  it("accept Clickatell's samples and the events in them", () => {
    for (const envelope of [replyEnvelope, statusEnvelope]) {
      expect(accepts('Callback', envelope)).toBe(true);
      for (const { event } of splitCallback(JSON.stringify(envelope), '2026-11-23T08:00:00.000Z')) {
        expect(accepts('Event', event)).toBe(true);
        expect(accepts(event.type, event.raw)).toBe(true);
        expect(accepts(`${event.type}.data`, event.data)).toBe(true);
      }
    }
  });

  it('refuse what does not fit', () => {
    expect(accepts('moText', { ...sampleElement('moText'), content: 5 })).toBe(false);
    expect(accepts('Event', { type: 'moText' })).toBe(false);
  });

  it('describe their fields', () => {
    expect(jsonSchemas['messageStatusUpdate']).toMatchObject({
      properties: { messageId: { description: 'The `apiMessageId` of the send response.' } },
    });
  });
});
