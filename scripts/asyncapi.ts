import { FORMATS, type Format, jsonSchemas } from '../packages/core/src/index.ts';

/* Describes in AsyncAPI 3 what webhook destinations get: the body in each format, the headers, the signature. */

const SCHEMA_FORMAT = 'application/schema+json;version=draft-2020-12';

const schemaOf = (name: string): object => {
  const { $schema: _, ...schema } = jsonSchemas[name] as Record<string, unknown>;
  return schema;
};

const event = schemaOf('Event');

const text = (description: string, rest: object = {}) => ({ type: 'string', description, ...rest });

const cloudAttributes = {
  specversion: { const: '1.0' },
  id: text('The event id: use it as idempotency key.'),
  source: text('`/clickatell/` and the integration id.'),
  type: text('`com.clickatell.` and the event type.'),
  subject: text('The message id; missing when there is none.'),
  time: text('When it occurred; when it was received where Clickatell did not say.', { format: 'date-time' }),
};
const REQUIRED_CLOUD_ATTRIBUTES = Object.keys(cloudAttributes).filter((name) => name !== 'subject');

interface Shape {
  readonly title: string;
  readonly contentType: string;
  readonly payload: object;
  readonly headers?: { readonly properties: object; readonly required: readonly string[] };
}

const shapes: Readonly<Record<Format, Shape>> = {
  event: { title: 'The event', contentType: 'application/json; charset=utf-8', payload: event },
  clickatell: {
    title: "Clickatell's own envelope, with this one element",
    contentType: 'application/json; charset=utf-8',
    payload: schemaOf('Callback'),
  },
  cloudevents: {
    title: 'A CloudEvent 1.0, structured; `data` is the event',
    contentType: 'application/cloudevents+json; charset=utf-8',
    payload: {
      type: 'object',
      properties: { ...cloudAttributes, datacontenttype: { const: 'application/json' }, data: event },
      required: [...REQUIRED_CLOUD_ATTRIBUTES, 'datacontenttype', 'data'],
    },
  },
  'cloudevents-binary': {
    title: 'A CloudEvent 1.0, binary: attributes as `ce-*` headers, the event as body',
    contentType: 'application/json; charset=utf-8',
    payload: event,
    headers: {
      properties: Object.fromEntries(Object.entries(cloudAttributes).map(([name, of]) => [`ce-${name}`, of])),
      required: REQUIRED_CLOUD_ATTRIBUTES.map((name) => `ce-${name}`),
    },
  },
};

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const webhookHeaders = {
  'webhook-id': text('The event id: the same for every attempt, and for a replay. Use it as idempotency key.'),
  'webhook-timestamp': text('When this attempt was made, in seconds since 1970.', { pattern: '^\\d+$' }),
  'webhook-signature': text(
    'One for each live secret, with spaces between: `v1,` and the HMAC-SHA256, or `v1a,` and the Ed25519 ' +
      'signature, in base64, of `<webhook-id>.<webhook-timestamp>.<body>`.',
  ),
  'user-agent': text('`Clickrelay/` and its version.'),
  'content-type': text('By the format of the destination.'),
  'clickrelay-test': { const: 'true', description: 'A person tries the destination out: nothing happened.' },
};

const messageOf = ({ title, contentType, payload, headers }: Shape): object => ({
  title,
  contentType,
  headers: {
    type: 'object',
    properties: { ...webhookHeaders, ...headers?.properties },
    required: [
      ...Object.keys(webhookHeaders).filter((name) => name !== 'clickrelay-test'),
      ...(headers?.required ?? []),
    ],
  },
  payload: { schemaFormat: SCHEMA_FORMAT, schema: payload },
});

/** The AsyncAPI 3 document of what destinations receive. */
export const asyncApiDocument = (version: string): object => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Clickrelay webhooks',
    version,
    description:
      'What Clickrelay POSTs to webhook destinations, by the `format` of the destination. A 2xx is success; ' +
      'anything else is tried again.',
  },
  defaultContentType: 'application/json',
  channels: {
    destination: {
      address: '/',
      description: 'The `url` of the destination.',
      messages: Object.fromEntries(FORMATS.map((format) => [format, { $ref: `#/components/messages/${format}` }])),
      bindings: { http: {} },
    },
  },
  operations: {
    deliver: {
      action: 'send',
      channel: { $ref: '#/channels/destination' },
      bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
      messages: FORMATS.map((format) => ({ $ref: `#/channels/destination/messages/${format}` })),
    },
  },
  components: { messages: Object.fromEntries(FORMATS.map((format) => [format, messageOf(shapes[format])])) },
});
