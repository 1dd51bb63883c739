import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOf, RECEIVED_AT, restore } from '../test/events.ts';
import { KNOWN_EVENT_TYPES, knownTypes } from './data.ts';
import { isKnownEvent } from './event.ts';

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
