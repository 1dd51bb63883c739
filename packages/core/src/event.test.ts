import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import { reply, replyEnvelope, sampleElement, status } from '../test/samples.ts';
import { anyJson, holdsProtoKey, writers } from '../test/write-json.ts';
import { parseCallback } from './callback.ts';
import { KNOWN_EVENT_TYPES, type KnownEventType, knownTypes, type MediaFile, type StatusData } from './data.ts';
import { InvalidCallbackError } from './errors.ts';
import {
  type Event,
  eventSchema,
  isKnownEvent,
  type KnownEvent,
  type LoggedEvent,
  restoreEvent,
  type StoredEvent,
  splitCallback,
} from './event.ts';
import type { StatusClass } from './status-codes.ts';

const RECEIVED_AT = '2026-11-23T08:00:00.000Z';

const split = (body: Uint8Array) => splitCallback(parseCallback(body).text, RECEIVED_AT);

/** The event of one element of a type. */
const eventOf = (type: string, element: unknown): Event => restore(type, JSON.stringify(element)).event;

const restore = (type: string, source: string): LoggedEvent =>
  restoreEvent({ type, integrationId: 'i', integrationName: null, receivedAt: RECEIVED_AT, source });

describe("Clickatell's sample reply", () => {
  const envelope = {
    integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
    integrationName: 'My integration',
    channel: 'whatsapp',
    from: '2799900001',
    to: '2799900002',
    relatedMessageId: null,
    clientMessageId: null,
    occurredAt: '2017-09-28T14:08:18.000Z',
    receivedAt: RECEIVED_AT,
  };
  const message = { profileName: 'Profile Name', relatedClientMessageId: null, encryptionKey: null };
  const sample = (type: string, index = 0) => replyEnvelope.event[type]?.[index];

  it('is these eight events', () => {
    expect(split(reply).map(({ event }) => event)).toEqual([
      {
        ...envelope,
        id: 'evt_gSBP9cgHMk8jw8nwjXPWzb',
        type: 'moText',
        channel: 'whatsapp/sms',
        messageId: '3a89680503414383af44dcd0e4e5f184',
        relatedMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
        data: {
          ...message,
          relatedClientMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
          text: 'Text Content of the reply message',
          charset: 'UTF-8',
          network: 'Network ID',
        },
        raw: sample('moText'),
      },
      {
        ...envelope,
        id: 'evt_ggfa4kRY_ZYNLYoOGZKhZl',
        type: 'moMedia',
        messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
        relatedMessageId: '8f287d93f5e5c5fd3ba228fef124c975',
        data: {
          ...message,
          caption: 'caption text here',
          files: [
            {
              contentType: 'image/jpeg',
              fileName: null,
              byteSize: null,
              sha256Hash: null,
              downloadUrl: null,
              inline: true,
            },
          ],
        },
        raw: sample('moMedia', 0),
      },
      {
        ...envelope,
        id: 'evt_gi6XBltKA2NLaeweLcY1eO',
        type: 'moMedia',
        messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
        relatedMessageId: '8f287d93f5e5c5fd3ba228fef124c975',
        data: {
          ...message,
          caption: 'caption text here',
          files: [
            {
              contentType: 'image/jpeg',
              fileName: 'myImage.jpeg',
              byteSize: 12345,
              sha256Hash: '529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820',
              downloadUrl:
                'https://platform.clickatell.com/v1/media?fileId=UUID-1.xxx&sha256Hash=529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820&source=client',
              inline: false,
            },
          ],
        },
        raw: sample('moMedia', 1),
      },
      {
        ...envelope,
        id: 'evt_ge8t7AMkrs6U2K5uwDf9bQ',
        type: 'moLocation',
        messageId: 'f4915e8edf965566246c995c8703120d',
        data: {
          ...message,
          latitude: 37.536033630371094,
          longitude: -122.25885772705078,
          name: 'Clickatell',
          address: '900 Island Dr #202, Redwood City, Redwood City, CA, 94065',
          charset: 'Character set of the reply message',
        },
        raw: sample('moLocation'),
      },
      {
        ...envelope,
        id: 'evt_gmp7GRj494NBY9mfU_riYt',
        type: 'moContacts',
        messageId: 'f4915e8edf965566246c995c8703120d',
        data: {
          ...message,
          contacts: [
            {
              name: { firstName: 'First Name', formattedName: 'Formatted Name', lastName: 'Last Name' },
              phones: [
                { phone: '2799900001', type: 'personal', waId: null },
                { phone: '2799900002', type: 'personal', waId: 'waId' },
              ],
              emails: [{ email: '[email protected]', type: 'personal' }],
              addresses: [
                {
                  city: 'Johannesburg',
                  country: 'SA',
                  countryCode: '10',
                  state: 'state',
                  street: 'street',
                  type: 'personal',
                  zip: '1010',
                },
              ],
              urls: [{ url: 'https://clickatelllabs.com', type: 'personal' }],
              org: { company: 'Clickatell' },
              birthday: '01.01.1980',
            },
          ],
          charset: 'Character set of the reply message',
        },
        raw: sample('moContacts'),
      },
      {
        ...envelope,
        id: 'evt_gTysLXx4f2dA77H4AkEDjj',
        type: 'moSuggestedResponse',
        messageId: '3a89680503414383af44dcd0e4e5f184',
        relatedMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
        data: {
          ...message,
          relatedClientMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
          text: 'Text Content of the reply message',
          postbackData: 'Custom Data As Defined In Outbound Message',
          charset: 'UTF-8',
        },
        raw: sample('moSuggestedResponse'),
      },
      {
        ...envelope,
        id: 'evt_gD0THUzkE__fME1E9PwhNc',
        type: 'moListPickerResponse',
        messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
        data: {
          ...message,
          profileName: 'WA Client Profile Name',
          postbackData: null,
          selectedItems: [{ postbackData: 'food option 1', content: null }],
        },
        raw: sample('moListPickerResponse'),
      },
      {
        ...envelope,
        id: 'evt_gMilWUKMNJ6_KyuH36GX3t',
        type: 'moButtonResponse',
        messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
        relatedMessageId: '27366213db12571cf7f433184ffa46ea',
        data: {
          ...message,
          profileName: 'WA Client Profile Name',
          postbackData: null,
          selectedItem: {
            postbackData: 'postback-id-2',
            content: 'This field might be set to null on some channels',
          },
        },
        raw: sample('moButtonResponse'),
      },
    ]);
  });
});

describe("Clickatell's sample status", () => {
  it('is this event', () => {
    expect(split(status).map(({ event }) => event)).toEqual([
      {
        id: 'evt_O9WxJIjO53Qhs6VDxXpJvH',
        type: 'messageStatusUpdate',
        integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
        integrationName: 'My integration',
        channel: 'whatsapp/sms',
        from: null,
        to: null,
        messageId: '3a89680503414383af44dcd0e4e5f184',
        relatedMessageId: null,
        clientMessageId: '2993b6b548000a80989a20549e7558a5',
        occurredAt: '2017-09-28T14:08:18.860Z',
        receivedAt: RECEIVED_AT,
        data: { code: 5, name: 'DEVICE_ACK', class: 'delivered', final: false },
        raw: sampleElement('messageStatusUpdate'),
      },
    ]);
  });
});

describe('an element of a known type', () => {
  it.each(KNOWN_EVENT_TYPES)('may be empty or all null: %s', (type) => {
    const nulls = Object.fromEntries(Object.keys(knownTypes[type].wire.shape).map((key) => [key, null]));
    expect(eventOf(type, {}).valid).toBeUndefined();
    expect(eventOf(type, nulls).valid).toBeUndefined();
    expect(eventOf(type, nulls).data).toEqual(eventOf(type, {}).data);
  });

  it('of an SMS has no WhatsApp profile, and the other way round', () => {
    expect(eventOf('moText', { content: 'hi', sms: { network: 'n' } }).data).toEqual({
      profileName: null,
      relatedClientMessageId: null,
      encryptionKey: null,
      text: 'hi',
      charset: null,
      network: 'n',
    });
    expect(eventOf('moText', { content: 'hi', whatsapp: { profileName: 'p' } }).data).toMatchObject({
      profileName: 'p',
      network: null,
    });
  });

  it('may be encrypted for the client', () => {
    expect(eventOf('moText', { content: 'AAAA', encryptionKey: 'k' }).data).toMatchObject({ encryptionKey: 'k' });
  });

  it('keeps fields that nobody has heard of', () => {
    const element = { content: 'a', order: { items: [1] } };
    expect(eventOf('moText', element).raw).toEqual(element);
    const contact = { name: { formattedName: 'a', suffix: 'jr' }, org: { department: 'b' } };
    expect(eventOf('moContacts', { contacts: [contact] }).data['contacts']).toEqual([
      {
        name: { firstName: null, formattedName: 'a', lastName: null, suffix: 'jr' },
        org: { company: null, department: 'b' },
        phones: [],
        emails: [],
        addresses: [],
        urls: [],
        birthday: null,
      },
    ]);
  });

  it('may hold media inline, by reference, both, or none: one shape', () => {
    const none = { contentType: null, fileName: null, byteSize: null, sha256Hash: null, downloadUrl: null };
    const files = (element: object) => eventOf('moMedia', element).data['files'];
    expect(files({ content: 'AAAA', contentType: 'image/png', sha256Hash: 'h' })).toEqual([
      { ...none, contentType: 'image/png', sha256Hash: 'h', inline: true },
    ]);
    expect(files({ files: [{ byteSize: '12', downloadUrl: 'u' }, {}] })).toEqual([
      { ...none, byteSize: 12, downloadUrl: 'u', inline: false },
      { ...none, inline: false },
    ]);
    expect(files({ content: 'AAAA', files: [{}] })).toEqual([
      { ...none, inline: true },
      { ...none, inline: false },
    ]);
    expect(files({ content: null, files: null })).toEqual([]);
  });

  it('may spell its latitude either way, as text or number', () => {
    const place = (element: object) => {
      const { latitude, longitude } = eventOf('moLocation', element).data;
      return [latitude, longitude];
    };
    expect(place({ latitute: '-1.5', longitude: '2' })).toEqual([-1.5, 2]);
    expect(place({ latitude: ' 1.5 ', longitude: 2.25 })).toEqual([1.5, 2.25]);
    expect(place({ latitude: '1,5', longitude: '-.5' })).toEqual([1.5, -0.5]);
    expect(place({ latitude: 0, latitute: '9' })).toEqual([0, null]);
    expect(place({ latitude: '', latitute: '9' })).toEqual([9, null]);
    expect(place({ latitude: null, latitute: '9' })).toEqual([9, null]);
  });

  it('may have ids and phone numbers that came as numbers', () => {
    expect(eventOf('moText', { from: 2799900001, to: '2799900002', messageId: 5 })).toMatchObject({
      from: '2799900001',
      to: '2799900002',
      messageId: '5',
    });
    // The parser has rounded this one: no id is better than a wrong one.
    expect(restore('moText', '{"messageId":9007199254740993}').event).toMatchObject({ messageId: null });
  });

  it('may have a status code that came as text, or a status that nobody has heard of', () => {
    expect(eventOf('messageStatusUpdate', { statusCode: '6' }).data).toEqual({
      code: 6,
      name: 'READ',
      class: 'read',
      final: true,
    });
    expect(eventOf('messageStatusUpdate', { statusCode: 7, status: 'TELEPORTED' }).data).toEqual({
      code: 7,
      name: 'TELEPORTED',
      class: 'unknown',
      final: false,
    });
  });
});

describe('occurredAt', () => {
  const occurredAt = (timestamp: unknown) => eventOf('moText', { timestamp }).occurredAt;

  it('comes from epoch milliseconds, number or text', () => {
    expect(occurredAt(1506607698860)).toBe('2017-09-28T14:08:18.860Z');
    expect(occurredAt('1506607698860')).toBe('2017-09-28T14:08:18.860Z');
    expect(occurredAt(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(occurredAt(253402300799999)).toBe('9999-12-31T23:59:59.999Z');
  });

  it('is null for what is no time, and the event is still told', () => {
    for (const impossible of [
      -1,
      253402300800000,
      1e300,
      8.64e15,
      '',
      'yesterday',
      '0x10',
      'Infinity',
      null,
      true,
      {},
    ]) {
      expect(occurredAt(impossible)).toBe(null);
    }
    expect(restore('moText', '{"timestamp":1e999}').event.occurredAt).toBe(null);
  });

  it('never throws on any number', () => {
    fc.assert(fc.property(fc.double(), (timestamp) => void occurredAt(timestamp)));
  });
});

describe('the channel', () => {
  it('is trimmed, and anything goes', () => {
    const channel = (value: unknown) => eventOf('moText', { channel: value }).channel;
    expect(['whatsapp ', 'whatsapp/sms ', 'rcs', ' ', '', null].map(channel)).toEqual([
      'whatsapp',
      'whatsapp/sms',
      'rcs',
      null,
      null,
      null,
    ]);
  });
});

describe('a type that nobody has heard of', () => {
  it('is an event with empty data', () => {
    const event = eventOf('moSticker', { channel: 'whatsapp ', from: '1', messageId: 'm', timestamp: 1, emoji: 'x' });
    expect(event).toEqual({
      id: event.id,
      type: 'moSticker',
      integrationId: 'i',
      integrationName: null,
      channel: 'whatsapp',
      from: '1',
      to: null,
      messageId: 'm',
      relatedMessageId: null,
      clientMessageId: null,
      occurredAt: '1970-01-01T00:00:00.001Z',
      receivedAt: RECEIVED_AT,
      data: {},
      raw: { channel: 'whatsapp ', from: '1', messageId: 'm', timestamp: 1, emoji: 'x' },
    });
    expect(isKnownEvent(event)).toBe(false);
  });

  it('may be named like a member of every object', () => {
    for (const type of ['constructor', 'toString', 'hasOwnProperty', '']) {
      expect(eventOf(type, {}).data).toEqual({});
      expect(eventOf(type, {}).valid).toBeUndefined();
    }
  });
});

describe('an element that does not fit its known type', () => {
  it('is still an event, and says why', () => {
    const event = eventOf('moText', { channel: 'sms', from: '1', content: 5, whatsapp: 'x', timestamp: 0 });
    expect(event).toMatchObject({
      type: 'moText',
      channel: 'sms',
      from: '1',
      occurredAt: '1970-01-01T00:00:00.000Z',
      valid: false,
      issues: [
        { path: 'whatsapp', message: 'expected object, got string' },
        { path: 'content', message: 'expected string, got number' },
      ],
      data: {},
    });
    expect(isKnownEvent(event)).toBe(false);
  });

  it.each(KNOWN_EVENT_TYPES)('may be no object at all: %s', (type) => {
    const given = [
      ['text', 'string'],
      [null, 'null'],
      [5, 'number'],
      [true, 'boolean'],
      [[{}], 'array'],
    ] as const;
    for (const [element, kind] of given) {
      expect(eventOf(type, element)).toMatchObject({
        valid: false,
        issues: [{ path: '', message: `expected object, got ${kind}` }],
        data: {},
        raw: element,
        from: null,
        messageId: null,
      });
    }
  });

  it('says where, down to the field', () => {
    const contacts = [{ phones: [{ phone: '1' }, { phone: ['x'] }, null] }];
    expect(eventOf('moContacts', { contacts }).issues).toEqual([
      { path: 'contacts.0.phones.1.phone', message: 'expected string or number, got array' },
      { path: 'contacts.0.phones.2', message: 'expected object, got null' },
    ]);
    expect(eventOf('moLocation', { latitude: 'here', longitude: true }).issues).toEqual([
      { path: 'latitude', message: 'expected number or decimal text, got string' },
      { path: 'longitude', message: 'expected number or decimal text, got boolean' },
    ]);
  });

  it('never repeats what was sent', () => {
    const secret = 'canary 27821234567';
    const wrong = { [secret]: secret, nested: [secret] };
    for (const type of KNOWN_EVENT_TYPES) {
      for (const field of Object.keys(knownTypes[type].wire.shape)) {
        for (const value of [wrong, [wrong], [[secret]], secret]) {
          expect(JSON.stringify(eventOf(type, { [field]: value }).issues ?? [])).not.toContain('canary');
        }
      }
    }
  });

  it('does not make more issues than anybody reads', () => {
    expect(eventOf('moMedia', { files: Array.from({ length: 500 }, () => 1) }).issues).toHaveLength(20);
  });
});

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
