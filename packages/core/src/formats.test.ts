import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyJson, holdsProtoKey, writers } from '../test/json-values.ts';
import { reply, sampleElement, status } from '../test/samples.ts';
import { parseCallback } from './callback.ts';
import { type LoggedEvent, restoreEvent, splitCallback } from './event.ts';
import { FORMATS, formatEvent } from './formats.ts';

const RECEIVED_AT = '2026-11-23T08:00:00.000Z';
const samples = [reply, status].flatMap((body) => splitCallback(parseCallback(body).text, RECEIVED_AT));

const logged = (
  source: string,
  over: { type?: string; integrationId?: string | null; integrationName?: string | null } = {},
) =>
  restoreEvent({
    type: 'moText',
    integrationId: null,
    integrationName: null,
    receivedAt: RECEIVED_AT,
    source,
    ...over,
  });

describe('event', () => {
  it('is the event as JSON', () => {
    for (const sample of samples) {
      const { body, headers } = formatEvent(sample, 'event');
      expect(JSON.parse(body)).toEqual(sample.event);
      expect(headers).toEqual({ 'content-type': 'application/json; charset=utf-8' });
    }
  });

  it('sends the element as it was written, so that no digit is lost', () => {
    const { body } = formatEvent(logged('{ "content":"a", "n":12345678901234567890,"n2":1.10 }'), 'event');
    expect(body.endsWith(',"raw":{ "content":"a", "n":12345678901234567890,"n2":1.10 }}')).toBe(true);
    expect(body).not.toContain('"source"');
  });

  it('tells of an element that does not fit', () => {
    expect(JSON.parse(formatEvent(logged('5'), 'event').body)).toMatchObject({
      valid: false,
      issues: [{ path: '', message: 'expected object, got number' }],
      raw: 5,
    });
  });
});

describe('clickatell', () => {
  it('is the envelope with this one element', () => {
    for (const sample of samples) {
      const { body, headers } = formatEvent(sample, 'clickatell');
      expect(JSON.parse(body)).toEqual({
        integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
        integrationName: 'My integration',
        event: { [sample.event.type]: [sample.event.raw] },
      });
      expect(headers).toEqual({ 'content-type': 'application/json; charset=utf-8' });
    }
  });

  it('leaves out what is not known, and loses no digit', () => {
    expect(formatEvent(logged('[1.0,12345678901234567890]', { type: 'mo"x' }), 'clickatell').body).toBe(
      '{"event":{"mo\\"x":[[1.0,12345678901234567890]]}}',
    );
    expect(formatEvent(logged('1', { integrationId: 'i' }), 'clickatell').body).toBe(
      '{"integrationId":"i","event":{"moText":[1]}}',
    );
  });

  it('is a callback again, with the same event in it', () => {
    for (const sample of samples) {
      const callback = parseCallback(Buffer.from(formatEvent(sample, 'clickatell').body));
      expect(splitCallback(callback.text, RECEIVED_AT)).toEqual([sample]);
    }
  });
});

describe('cloudevents', () => {
  const attributes = {
    specversion: '1.0',
    id: 'evt_gSBP9cgHMk8jw8nwjXPWzb',
    source: '/clickatell/fa8090815f05d5ed015f0b5b56080cd2',
    type: 'com.clickatell.moText',
    subject: '3a89680503414383af44dcd0e4e5f184',
    time: '2017-09-28T14:08:18.000Z',
  };

  it('is one JSON document', () => {
    const { body, headers } = formatEvent(samples[0] as LoggedEvent, 'cloudevents');
    expect(headers).toEqual({ 'content-type': 'application/cloudevents+json; charset=utf-8' });
    expect(JSON.parse(body)).toEqual({
      ...attributes,
      datacontenttype: 'application/json',
      data: samples[0]?.event,
    });
  });

  it('is headers and a body in its binary form', () => {
    expect(formatEvent(samples[0] as LoggedEvent, 'cloudevents-binary')).toEqual({
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])),
      },
      body: formatEvent(samples[0] as LoggedEvent, 'event').body,
    });
  });

  it.each(['cloudevents', 'cloudevents-binary'] as const)(
    "is understood by the CloudEvents project's own library: %s",
    (format) => {
      for (const sample of samples) {
        const { body, headers } = formatEvent(sample, format);
        const read = HTTP.toEvent({ headers, body });
        if (!(read instanceof CloudEvent)) throw new Error('one event was expected');
        read.validate();
        expect(read.toJSON()).toMatchObject({
          specversion: '1.0',
          id: sample.event.id,
          source: '/clickatell/fa8090815f05d5ed015f0b5b56080cd2',
          type: `com.clickatell.${sample.event.type}`,
          subject: sample.event.messageId,
          time: sample.event.occurredAt,
          data: sample.event,
        });
      }
    },
  );

  it('has the time of the callback when the element has none, and no subject without a message id', () => {
    const {
      'ce-time': time,
      'ce-subject': subject,
      'ce-source': source,
    } = formatEvent(logged('{"messageId":""}'), 'cloudevents-binary').headers;
    expect([time, subject, source]).toEqual([RECEIVED_AT, undefined, '/clickatell']);
  });

  it('percent-encodes what a header or a URI cannot hold', () => {
    const odd = logged('{"messageId":"a \\"b\\" 50% \\u20ac\\ud83d\\ude00\\r\\nx: y\\ud800"}', {
      type: 'mo\u00e9',
      integrationId: 'a/b c?\u20ac',
    });
    expect(formatEvent(odd, 'cloudevents-binary').headers).toMatchObject({
      'ce-subject': 'a%20%22b%22%2050%25%20%E2%82%AC%F0%9F%98%80%0D%0Ax:%20y%EF%BF%BD',
      'ce-type': 'com.clickatell.mo%C3%A9',
      // Encoded once as part of a URI, and its `%` once more as a header.
      'ce-source': '/clickatell/a%252Fb%2520c%253F%25E2%2582%25AC',
    });
    expect(JSON.parse(formatEvent(odd, 'cloudevents').body)).toMatchObject({
      source: '/clickatell/a%2Fb%20c%3F%E2%82%AC',
      type: 'com.clickatell.mo\u00e9',
    });
  });
});

describe('every format', () => {
  it('is valid, sendable, and holds the element, for any element of any type', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        anyJson,
        fc.option(fc.string({ unit: 'binary' })),
        writers({ shuffle: true }),
        (type, value, name, { write }) => {
          fc.pre(type !== '__proto__' && !holdsProtoKey(value));
          const element = { ...sampleElement('moText'), messageId: name, value };
          const one = logged(write(element), { type, integrationId: name, integrationName: name });
          for (const format of FORMATS) {
            const { body, headers } = formatEvent(one, format);
            new Headers(headers);
            for (const header of Object.values(headers)) expect(header).toMatch(/^[ -~]+$/);
            const parsed = JSON.parse(body);
            if (format === 'clickatell') expect(parsed.event[type]).toEqual([element]);
            else if (format === 'cloudevents') expect(parsed.data.raw).toEqual(element);
            else expect(parsed).toEqual(one.event);
          }
        },
      ),
    );
  });
});
