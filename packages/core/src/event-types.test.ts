import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import { split } from '../test/events.ts';
import { reply } from '../test/samples.ts';
import type { KnownEventType, MediaFile, StatusData } from './data.ts';
import { type Event, type eventSchema, isKnownEvent, type KnownEvent, type StoredEvent } from './event.ts';
import type { StatusClass } from './status-codes.ts';

describe('types', () => {
  it('type the data and the raw element by the event type', () => {
    const told = (event: Event): unknown => {
      if (!isKnownEvent(event)) {
        expectTypeOf(event.data).toEqualTypeOf<Readonly<Record<string, unknown>>>();
        return null;
      }
      switch (event.type) {
        case 'moText':
          expectTypeOf(event.data.text).toEqualTypeOf<string | null>();
          // @ts-expect-error a typed event has no other fields
          event.data.content;
          return event.data.text;
        case 'moMedia':
          expectTypeOf(event.data.files).toEqualTypeOf<MediaFile[]>();
          expectTypeOf(event.raw.content).toEqualTypeOf<string | null | undefined>();
          return event.data.files;
        case 'moLocation':
          expectTypeOf(event.data.latitude).toEqualTypeOf<number | null>();
          return event.data.latitude;
        case 'moListPickerResponse':
          return event.data.selectedItems[0]?.postbackData;
        case 'moButtonResponse':
          return event.data.selectedItem?.postbackData;
        case 'messageStatusUpdate':
          expectTypeOf(event.data).toEqualTypeOf<Readonly<StatusData>>();
          expectTypeOf(event.data.class).toEqualTypeOf<StatusClass>();
          return event.data.class;
        case 'moContacts':
          return event.data.contacts[0]?.name?.formattedName;
        case 'moSuggestedResponse':
          return event.data.postbackData;
        default:
          expectTypeOf(event).toBeNever();
          return null;
      }
    };
    expect(split(reply).map(({ event }) => told(event))).toEqual([
      'Text Content of the reply message',
      [expect.objectContaining({ inline: true })],
      [expect.objectContaining({ inline: false })],
      37.536033630371094,
      'Formatted Name',
      'Custom Data As Defined In Outbound Message',
      'food option 1',
      'postback-id-2',
    ]);
  });

  it('agree with each other', () => {
    expectTypeOf<KnownEvent>().toExtend<Event>();
    expectTypeOf<KnownEvent['type']>().toEqualTypeOf<KnownEventType>();
    expectTypeOf<Event>().toExtend<Omit<StoredEvent, 'source'>>();
    expectTypeOf<keyof z.infer<typeof eventSchema>>().toEqualTypeOf<keyof Event>();
    expectTypeOf<z.infer<typeof eventSchema>>().toExtend<Event>();
  });
});
