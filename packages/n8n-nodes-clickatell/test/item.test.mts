import { type Event, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { describe, expect, it } from 'vitest';
import { toItem } from '../nodes/shared/item.ts';

const RECEIVED = '2026-11-23T05:00:00.000Z';
const eventsOf = (callback: unknown): Event[] =>
  splitCallback(JSON.stringify(callback), RECEIVED).map(({ event }) => event);

const ALL = { reply: samples.reply, status: samples.status, ...samples.byType, ...samples.odd };

/** What an item says beyond what every item has. */
const ownFields = (callback: unknown, at = 0): Record<string, unknown> => {
  const { json } = toItem(eventsOf(callback)[at] as Event, { attempt: 1, withoutRaw: true });
  const common =
    'eventId channel from to messageId relatedMessageId occurredAt receivedAt integrationId integrationName attempt test';
  const shared = new Set([...common.split(' '), 'encryptionKey', 'relatedClientMessageId', 'charset']);
  return Object.fromEntries(Object.entries(json).filter(([name]) => !shared.has(name)));
};

describe('the item of an event', () => {
  for (const [name, callback] of Object.entries(ALL)) {
    it(`is flat and keeps what ${name} says`, () => {
      for (const event of eventsOf(callback)) {
        const { json } = toItem(event, { attempt: 2 });
        expect(json).toMatchObject({
          eventId: event.id,
          type: event.type,
          channel: event.channel,
          from: event.from,
          to: event.to,
          messageId: event.messageId,
          attempt: 2,
          test: false,
          raw: event.raw,
        });
        expect(json).not.toHaveProperty('data');
        expect(Object.keys(json).slice(0, 6)).toEqual(['eventId', 'type', 'text', 'channel', 'from', 'to']);
        // Items are stored and sent as JSON.
        expect(JSON.parse(JSON.stringify(json))).toEqual(json);
      }
    });
  }

  it('has what a person wrote, captioned or pressed as text', () => {
    const texts = Object.entries(samples.byType).map(([type, callback]) => [type, ownFields(callback)['text']]);
    expect(Object.fromEntries(texts)).toMatchInlineSnapshot(`
      {
        "messageStatusUpdate": null,
        "moButtonResponse": "This field might be set to null on some channels",
        "moContacts": null,
        "moListPickerResponse": "food option 1",
        "moLocation": null,
        "moMedia": "caption text here",
        "moSuggestedResponse": "Text Content of the reply message",
        "moText": "Text Content of the reply message",
      }
    `);
  });

  it('tells a status by names that need no table', () => {
    expect(ownFields(samples.status)).toMatchInlineSnapshot(`
      {
        "clientMessageId": "2993b6b548000a80989a20549e7558a5",
        "final": false,
        "status": "DEVICE_ACK",
        "statusClass": "delivered",
        "statusCode": 5,
        "text": null,
        "type": "messageStatusUpdate",
      }
    `);
  });

  it('tells a location by numbers', () => {
    expect(ownFields(samples.byType.moLocation)).toMatchInlineSnapshot(`
      {
        "clientMessageId": null,
        "latitude": 37.536033630371094,
        "locationAddress": "900 Island Dr #202, Redwood City, Redwood City, CA, 94065",
        "locationName": "Clickatell",
        "longitude": -122.25885772705078,
        "profileName": "Profile Name",
        "text": null,
        "type": "moLocation",
      }
    `);
  });

  it('tells a pressed button', () => {
    expect(ownFields(samples.byType.moButtonResponse)).toMatchInlineSnapshot(`
      {
        "clientMessageId": null,
        "postbackData": "postback-id-2",
        "profileName": "WA Client Profile Name",
        "selectedItem": {
          "content": "This field might be set to null on some channels",
          "postbackData": "postback-id-2",
        },
        "text": "This field might be set to null on some channels",
        "type": "moButtonResponse",
      }
    `);
  });

  it('tells media by reference', () => {
    expect(ownFields(samples.odd.mediaByReference)).toMatchInlineSnapshot(`
      {
        "caption": "caption text here",
        "clientMessageId": null,
        "files": [
          {
            "byteSize": 12345,
            "contentType": "image/jpeg",
            "downloadUrl": "https://platform.clickatell.com/v1/media?fileId=UUID-1.xxx&sha256Hash=529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820&source=client",
            "fileName": "myImage.jpeg",
            "inline": false,
            "sha256Hash": "529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820",
          },
        ],
        "profileName": "Profile Name",
        "text": "caption text here",
        "type": "moMedia",
      }
    `);
  });

  it('says of an element that does not fit its type what does not fit', () => {
    const { json } = toItem(eventsOf({ event: { moText: [{ from: '27999', content: 7 }] } })[0] as Event, {
      attempt: 1,
    });
    expect(json).toMatchObject({ type: 'moText', text: null, from: '27999', valid: false, raw: { content: 7 } });
    expect(json['issues']).toEqual([{ path: 'content', message: 'expected string, got number' }]);
  });

  it('leaves raw out when asked to', () => {
    const [event] = eventsOf(samples.byType.moMedia);
    expect(toItem(event as Event, { attempt: 1, withoutRaw: true }).json).not.toHaveProperty('raw');
  });
});
