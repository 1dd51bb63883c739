import type { LoggedEvent } from './event.ts';

/** The shapes an event can be sent in. */
export const FORMATS = ['event', 'clickatell', 'cloudevents', 'cloudevents-binary'] as const;

/** One of the shapes an event can be sent in. */
export type Format = (typeof FORMATS)[number];

/** Body and headers of an HTTP message; header names are lower case. */
export interface FormattedEvent {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/**
 * Writes an event as `event` (the Event as JSON), `clickatell` (the original envelope with this one element),
 * `cloudevents` (1.0, structured: one JSON document) or `cloudevents-binary` (1.0, attributes as `ce-*` headers, body
 * as for `event`).
 *
 * Each format uses the element's own JSON text from the callback, so that no digit is lost.
 *
 * @param data JSON to send in place of the event; the format `clickatell` has no place for it
 * @throws {RangeError} for `data` with the format `clickatell`
 */
export const formatEvent = (logged: LoggedEvent, format: Format, data?: string): FormattedEvent => {
  switch (format) {
    case 'event':
      return { body: data ?? eventJson(logged), headers: { 'content-type': JSON_TYPE } };
    case 'clickatell':
      if (data !== undefined) throw new RangeError('an envelope has no place for other data');
      return { body: envelopeJson(logged), headers: { 'content-type': JSON_TYPE } };
    case 'cloudevents':
      return {
        body: withMember(cloudAttributes(logged), 'data', data ?? eventJson(logged)),
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      };
    case 'cloudevents-binary':
      return { body: data ?? eventJson(logged), headers: cloudHeaders(logged) };
  }
};

const JSON_TYPE = 'application/json; charset=utf-8';

const eventJson = ({ event, source }: LoggedEvent): string => {
  const { raw: _, ...told } = event;
  return withMember(told, 'raw', source);
};

const envelopeJson = ({ event, source }: LoggedEvent): string => {
  const { integrationId, integrationName, type } = event;
  const known = {
    ...(integrationId === null ? {} : { integrationId }),
    ...(integrationName === null ? {} : { integrationName }),
  };
  return withMember(known, 'event', `{${JSON.stringify(type)}:[${source}]}`);
};

/** Writes an object as JSON with one more member, whose value is JSON already. */
const withMember = (object: object, key: string, json: string): string => {
  const body = JSON.stringify(object).slice(0, -1);
  return `${body}${body === '{' ? '' : ','}"${key}":${json}}`;
};

// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
const cloudAttributes = ({ event }: LoggedEvent): Record<string, string> => ({
  specversion: '1.0',
  id: event.id,
  source:
    event.integrationId === null
      ? '/clickatell'
      : `/clickatell/${encodeURIComponent(event.integrationId.toWellFormed())}`,
  type: `com.clickatell.${event.type}`,
  // An attribute must not be empty.
  ...(event.messageId ? { subject: event.messageId } : {}),
  time: event.occurredAt ?? event.receivedAt,
  datacontenttype: 'application/json',
});

// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md, section 3.1.3
const cloudHeaders = (logged: LoggedEvent): Record<string, string> => {
  const { datacontenttype: _, ...attributes } = cloudAttributes(logged);
  const headers: Record<string, string> = { 'content-type': JSON_TYPE };
  for (const [name, value] of Object.entries(attributes)) {
    headers[`ce-${name}`] = value.toWellFormed().replace(NOT_HEADER_SAFE, encodeURIComponent);
  }
  return headers;
};

/** Everything except printable ASCII, plus space, `"` and `%`. */
const NOT_HEADER_SAFE = /[^!#$&-~]/gu;
