import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clickatell } from '../nodes/Clickatell/Clickatell.node.ts';
import { toItem } from '../nodes/shared/item.ts';
import { fakeExecute } from './fake-n8n.mts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // Tests look at what came, whatever it is.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}
interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly bytes?: Buffer;
  readonly headers?: Record<string, string>;
}

let server: Server;
let baseUrl: string;
let asked: Asked[];
let answer: (one: Asked) => Answer;

const accept = ({ body }: Asked): Answer => ({
  status: 202,
  body: {
    messages: body.messages.map((message: IDataObject, at: number) => ({
      apiMessageId: `api-${at}-${message['to']}`,
      accepted: true,
      to: message['to'],
      clientMessageId: message['clientMessageId'],
      error: null,
    })),
    error: null,
  },
});

beforeEach(async () => {
  asked = [];
  answer = accept;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const isJson = request.headers['content-type']?.includes('json');
    const one = {
      method: String(request.method),
      path: String(request.url),
      headers: request.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
    asked.push(one);
    const { status = 200, body, bytes, headers = {} } = answer(one);
    response.writeHead(status, { 'content-type': bytes ? 'application/octet-stream' : 'application/json', ...headers });
    response.end(bytes ?? JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

interface Run {
  readonly items?: INodeExecutionData[];
  readonly continueOnFail?: boolean;
  readonly perItem?: (item: INodeExecutionData) => IDataObject;
}

const run = async (operation: string, parameters: IDataObject, options: Run = {}): Promise<INodeExecutionData[]> => {
  const [resource, name] = operation.split('.');
  const functions = fakeExecute({
    parameters: { resource, operation: name, channel: 'whatsapp', to: '27999900001', ...parameters },
    credentials: { clickatellApi: { apiKey: 'the-key', baseUrl } },
    ...options,
  });
  const [items = []] = await new Clickatell().execute.call(functions);
  return items;
};

const eventItem = (callback: unknown, at = 0): INodeExecutionData => {
  const logged = splitCallback(JSON.stringify(callback), new Date().toISOString())[at];
  return toItem((logged as { event: Parameters<typeof toItem>[0] }).event, { attempt: 1 });
};
const sent = (at = 0) => asked[at]?.body.messages[0];
const rejection = async (promise: Promise<unknown>) =>
  (await promise.catch((error: unknown) => error)) as Error & { description: string };

describe('sending', () => {
  it('sends a text with the raw key, and gives the ids that its statuses will have', async () => {
    const [item] = await run('message.sendText', { text: 'Hello', to: '+27 99 990-0001' });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/v1/message', headers: { authorization: 'the-key' } });
    const { clientMessageId } = sent();
    expect(clientMessageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(sent()).toEqual({ channel: 'whatsapp', to: '27999900001', content: 'Hello', clientMessageId });
    expect(item).toEqual({
      json: {
        accepted: true,
        apiMessageId: 'api-0-27999900001',
        clientMessageId,
        to: '27999900001',
        channel: 'whatsapp',
        error: null,
      },
      pairedItem: { item: 0 },
    });
  });

  it('passes on what the options say', async () => {
    const options = {
      clientMessageId: 'order-7',
      from: '+27999900002',
      previewFirstUrl: true,
      relatedMessageId: 'm1',
      scheduledDeliveryTime: '2027-01-31T09:00:00+0200',
      validityPeriod: 60,
    };
    const [item] = await run('message.sendText', { text: 'x', channel: 'sms', options });
    expect(sent()).toEqual({ channel: 'sms', to: '27999900001', content: 'x', ...options, from: '27999900002' });
    expect(item?.json['clientMessageId']).toBe('order-7');
  });

  it.each([
    [
      'a template',
      'sendTemplate',
      { templateName: 'order_shipped', templateParameters: { parameter: [{ value: 'Ann' }, { value: '7' }] } },
      { template: { templateName: 'order_shipped', body: { parameters: { 1: 'Ann', 2: '7' } } } },
    ],
    [
      'a template with a header',
      'sendTemplate',
      { templateName: 't', templateHeader: 'text', templateHeaderText: 'Hi' },
      {
        template: {
          templateName: 't',
          header: { type: 'text', text: { parameters: { 1: 'Hi' } } },
          body: { parameters: {} },
        },
      },
    ],
    [
      'a template in the older format',
      'sendTemplate',
      { templateName: 't', templateParameters: { parameter: [{ value: 'a' }] }, options: { hsm: true } },
      { hsm: { template: 't', parameters: { 1: 'a' } } },
    ],
    [
      'a location',
      'sendLocation',
      { latitude: '-33.89', longitude: 18.51, locationName: 'Office' },
      { location: { latitude: '-33.89', longitude: '18.51', name: 'Office' } },
    ],
    [
      'reply buttons',
      'sendButtons',
      { text: 'Shall we?', buttons: { button: [{ title: 'Yes', postbackData: 'y' }, { title: 'No' }] } },
      {
        button: {
          body: 'Shall we?',
          items: [
            { type: 'reply', title: 'Yes', postbackData: 'y' },
            { type: 'reply', title: 'No', postbackData: 'No' },
          ],
        },
      },
    ],
    [
      'media that was uploaded before',
      'sendMedia',
      { mediaSource: 'fileId', fileId: 'f1', contentType: 'image/png', caption: 'Look' },
      { media: { fileId: 'f1', contentType: 'image/png', caption: 'Look' } },
    ],
  ])('sends %s', async (_what, operation, parameters, expected) => {
    await run(`message.${operation}`, parameters as IDataObject);
    const { channel, to, clientMessageId, ...content } = sent();
    expect({ channel, to }).toEqual({ channel: 'whatsapp', to: '27999900001' });
    expect(clientMessageId).toBeTruthy();
    expect(content).toEqual(expected);
  });

  const picture: INodeExecutionData = {
    json: {},
    binary: { data: { data: Buffer.from('picture').toString('base64'), mimeType: 'image/png', fileName: 'a b.png' } },
  };

  it('uploads a file of the item, and sends it by its id', async () => {
    answer = (one) =>
      one.path.startsWith('/v1/media') ? { body: { fileId: 'f9', accepted: true, error: null } } : accept(one);
    await run(
      'message.sendMedia',
      { mediaSource: 'binary', mediaTransport: 'upload', binaryPropertyName: 'data' },
      { items: [picture] },
    );
    expect(asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/media?fileName=a+b.png',
      text: 'picture',
      headers: { 'content-type': 'image/png' },
    });
    expect(sent(1)).toMatchObject({ media: { fileId: 'f9', contentType: 'image/png' } });
  });

  it('sends a file inside the message', async () => {
    await run(
      'message.sendMedia',
      { mediaSource: 'binary', mediaTransport: 'inline', binaryPropertyName: 'data', caption: 'c' },
      { items: [picture] },
    );
    expect(sent()).toMatchObject({ content: picture.binary?.['data']?.data, contentType: 'image/png', caption: 'c' });
  });

  it('says when media are not enabled for the integration', async () => {
    answer = () => ({ status: 404, body: { error: { code: 41, description: 'Resource not found' } } });
    const error = await rejection(run('media.upload', { binaryPropertyName: 'data' }, { items: [picture] }));
    expect(error.message).toBe('Media cannot be uploaded with this integration');
  });

  it.each([
    ['an empty text', 'sendText', { text: ' ' }, 'The text is empty'],
    ['no recipient', 'sendText', { text: 'x', to: '' }, 'There is no recipient'],
    [
      'a line break in a template parameter',
      'sendTemplate',
      { templateName: 't', templateParameters: { parameter: [{ value: 'a\nb' }] } },
      'Parameter 1 of the template holds a line break',
    ],
    [
      'four buttons',
      'sendButtons',
      { text: 'x', buttons: { button: Array(4).fill({ title: 'a' }) } },
      'There are 4 buttons',
    ],
    [
      'a long title',
      'sendButtons',
      { text: 'x', buttons: { button: [{ title: 'a'.repeat(21) }] } },
      'The title of button 1 is empty or longer than 20 characters',
    ],
    ['a place that is none', 'sendLocation', { latitude: '91', longitude: '0' }, 'Latitude is no coordinate'],
    ['raw that is no JSON', 'sendRaw', { rawMessages: '{' }, 'Messages is not JSON'],
  ])('refuses %s before anything is sent', async (_what, operation, parameters, message) => {
    const error = await rejection(run(`message.${operation}`, parameters as IDataObject));
    expect(error).toMatchObject({ message, context: { itemIndex: 0 } });
    expect(error.description).toBeTruthy();
    expect(asked).toEqual([]);
  });
});

describe('replying to an event', () => {
  it('goes back to the sender, on the channel it came in', async () => {
    const item = eventItem(samples.byType.moText);
    await run('message.reply', { text: 'Thanks', event: item.json }, { items: [item] });
    expect(sent()).toMatchObject({ channel: 'whatsapp', to: '2799900001', content: 'Thanks' });
    expect(sent()).not.toHaveProperty('from');
    expect(sent()).not.toHaveProperty('relatedMessageId');
  });

  it('over SMS comes from the number that the person wrote to, and may quote', async () => {
    const item = eventItem(samples.odd.smsWithoutWhatsapp);
    await run(
      'message.reply',
      { text: 'x', event: JSON.stringify(item.json), options: { quote: true } },
      { items: [item] },
    );
    expect(sent()).toMatchObject({
      channel: 'sms',
      to: item.json['from'],
      from: item.json['to'],
      relatedMessageId: item.json['messageId'],
    });
    expect(sent()).not.toHaveProperty('quote');
  });

  it('is refused for a status, which has no sender', async () => {
    const { json } = eventItem(samples.status);
    expect((await rejection(run('message.reply', { text: 'x', event: json }))).message).toContain('it has no sender');
  });
});

describe('what Clickatell refuses', () => {
  const refuse =
    (code: number, description = 'no') =>
    ({ body }: Asked): Answer => ({
      status: 207,
      body: {
        messages: body.messages.map(({ to, clientMessageId }: IDataObject) => ({
          apiMessageId: null,
          accepted: false,
          to,
          clientMessageId,
          error: { code, description },
        })),
        error: null,
      },
    });

  it.each([
    [26, 'The recipient has opted out (Clickatell error 26)', 'Do not try again'],
    [
      131,
      'The 24-hour window is closed: the person has not written for more than a day (Clickatell error 131)',
      'Send a template',
    ],
    [25, 'The recipient’s number is wrong (Clickatell error 25)', 'digits only'],
    [999, 'no (Clickatell error 999)', 'documentation'],
  ])('error %i of a message says what it means and what to do', async (code, message, todo) => {
    answer = refuse(code);
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error).toMatchObject({ name: 'NodeApiError', message, context: { itemIndex: 0 } });
    expect(error.description).toContain(todo);
    expect(asked).toHaveLength(1);
  });

  it('a bad key and an empty account say what to do', async () => {
    answer = () => ({ status: 401, body: { messages: [], error: { code: 1, description: 'Invalid or missing key' } } });
    expect((await rejection(run('message.sendText', { text: 'x' }))).message).toContain('does not know this API key');
    answer = () => ({ status: 402, body: { error: 'No funds' } });
    expect((await rejection(run('message.sendText', { text: 'x' }))).message).toContain('No funds');
  });

  it('becomes an item where the workflow goes on, and the other items are sent', async () => {
    answer = (one) => (one.body.messages[0].to === '1' ? refuse(26)(one) : accept(one));
    const items = ['1', '2'].map((to) => ({ json: { to } }));
    const given = await run(
      'message.sendText',
      { text: 'x' },
      { items, continueOnFail: true, perItem: ({ json }) => ({ to: json['to'] as string }) },
    );
    expect(given.map(({ json, pairedItem }) => [json['error'] ?? json['accepted'], pairedItem])).toEqual([
      ['The recipient has opted out (Clickatell error 26)', { item: 0 }],
      [true, { item: 1 }],
    ]);
    expect(given[0]?.error).toBeDefined();
  });

  it('an answer that does not come says that the message may have been sent', async () => {
    answer = () => {
      server.closeAllConnections();
      return {};
    };
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error).toMatchObject({ name: 'NodeApiError', message: 'Clickatell does not answer' });
    expect(error.description).toContain('may arrive twice');
    expect(JSON.stringify(error)).not.toContain('the-key');
    expect(asked).toHaveLength(1);
  });

  it('an internal error is not tried again: the message may have been sent', async () => {
    answer = () => ({ status: 500, body: { error: { code: 18, description: 'Internal' } } });
    await rejection(run('message.sendText', { text: 'x' }));
    expect(asked).toHaveLength(1);
  });
});

describe('the rate limit', () => {
  it('of a whole request (HTTP 400) is waited for', async () => {
    answer = (one) =>
      asked.length < 3
        ? { status: 400, body: { messages: [], error: { code: 43, description: 'Rate limit' } } }
        : accept(one);
    const [item] = await run('message.sendText', { text: 'x' });
    expect(item?.json['accepted']).toBe(true);
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ body }) => body.messages[0].clientMessageId)).size).toBe(1);
  });

  it('of some messages sends only those again', async () => {
    const messages = ['1', '2', '3'].map((to) => ({ channel: 'sms', to, content: 'x' }));
    answer = (one) => {
      const full = (accept(one).body as { messages: IDataObject[] }).messages;
      if (asked.length > 1) return { status: 202, body: { messages: full } };
      const refused = { apiMessageId: null, accepted: false, error: { code: 43, description: 'Rate limit' } };
      // In another order than they were sent in.
      return {
        status: 207,
        body: { messages: [{ ...full[2], ...refused }, full[0], { ...full[1], ...refused }], error: null },
      };
    };
    const items = await run('message.sendRaw', { rawMessages: messages });
    expect(asked.map(({ body }) => body.messages.map(({ to }: IDataObject) => to))).toEqual([
      ['1', '2', '3'],
      ['2', '3'],
    ]);
    expect(items.map(({ json }) => [json['to'], json['accepted']])).toEqual([
      ['1', true],
      ['2', true],
      ['3', true],
    ]);
  });

  it('that does not end is an error that says what to do', { timeout: 60_000 }, async () => {
    answer = () => ({ status: 400, body: { error: { code: 43, description: 'Rate limit' } } });
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error.message).toBe('Clickatell’s rate limit is reached (Clickatell error 43)');
    expect(asked).toHaveLength(5);
  });
});

describe('several messages as raw JSON', () => {
  it('make an item each, and one that is refused does not hide the others', async () => {
    answer = ({ body }) => ({
      status: 207,
      body: {
        messages: [
          { apiMessageId: null, accepted: false, to: '2', error: { code: 26, description: 'opted out' } },
          {
            apiMessageId: 'a1',
            accepted: true,
            to: '1',
            clientMessageId: body.messages[0].clientMessageId,
            error: null,
          },
        ],
      },
    });
    const rawMessages = JSON.stringify({
      messages: [
        { to: '1', content: 'x', clientMessageId: 'c1' },
        { to: '2', content: 'x' },
      ],
    });
    const items = await run('message.sendRaw', { rawMessages });
    expect(items).toEqual([
      {
        json: { accepted: true, apiMessageId: 'a1', clientMessageId: 'c1', to: '1', channel: null, error: null },
        pairedItem: { item: 0 },
      },
      {
        json: expect.objectContaining({ accepted: false, to: '2', error: expect.objectContaining({ code: 26 }) }),
        pairedItem: { item: 0 },
      },
    ]);
  });

  it('are an error when none is accepted', async () => {
    answer = () => ({ status: 207, body: { messages: [{ accepted: false, error: { code: 27, description: '' } }] } });
    expect((await rejection(run('message.sendRaw', { rawMessages: { to: '1', content: 'x' } }))).message).toContain(
      '27',
    );
  });
});

describe('media', () => {
  const bytes = Buffer.from('bytes of a picture');
  const sha256Hash = createHash('sha256').update(bytes).digest('hex');
  const withFile = (file: IDataObject): INodeExecutionData =>
    eventItem({ event: { moMedia: [{ from: '1', messageId: 'm', files: [file] }] } });
  const from = (item: INodeExecutionData, options: IDataObject = {}) =>
    run('media.download', { downloadFrom: 'event', event: item.json, outputField: 'data', options }, { items: [item] });

  it('of an event are fetched by their link, with the key, as binary data', async () => {
    answer = () => ({ bytes });
    const file = {
      downloadUrl: `${baseUrl}/v1/media?fileId=f1&source=client`,
      contentType: 'image/jpeg',
      fileName: 'a.jpg',
      sha256Hash,
    };
    const [item] = await from(withFile(file));
    expect(asked[0]).toMatchObject({
      method: 'GET',
      path: '/v1/media?fileId=f1&source=client',
      headers: { authorization: 'the-key' },
    });
    expect(item).toEqual({
      json: {
        fileName: 'a.jpg',
        contentType: 'image/jpeg',
        byteSize: bytes.length,
        sha256: sha256Hash,
        sha256Matches: true,
      },
      binary: { data: { data: bytes.toString('base64'), mimeType: 'image/jpeg', fileName: 'a.jpg' } },
      pairedItem: { item: 0 },
    });
  });

  it('that came inside the callback are decoded', async () => {
    const item = eventItem({ event: { moMedia: [{ contentType: 'image/png', content: bytes.toString('base64') }] } });
    const [given] = await from(item);
    expect(given?.binary?.['data']).toMatchObject({ data: bytes.toString('base64'), mimeType: 'image/png' });
    expect(asked).toEqual([]);
  });

  it('with another hash than Clickatell said are told, and no error', async () => {
    answer = () => ({ bytes });
    const [item] = await from(withFile({ downloadUrl: `${baseUrl}/v1/media?fileId=f1`, sha256Hash: 'ff' }));
    expect(item?.json['sha256Matches']).toBe(false);
  });

  it.each([
    ['another host', () => 'https://evil.example/v1/media?fileId=1'],
    ['another path', () => `${baseUrl}/v1/mediaevil?fileId=1`],
    ['a user in front of the host', () => `${baseUrl.replace('://', '://x@')}/v1/media?fileId=1`],
    ['another protocol', () => 'file:///v1/media'],
    ['no address', () => 'not a link'],
  ])('are not fetched from %s: the key would go along', async (_what, link) => {
    const parameters = { downloadFrom: 'link', downloadUrl: link(), outputField: 'data' };
    expect((await rejection(run('media.download', parameters))).message).toMatch(
      /^The link does not lead to 127\.0\.0\.1:\d+\/v1\/media$/,
    );
    expect(asked).toEqual([]);
  });

  it('do not follow a redirect with the key', async () => {
    answer = ({ path }) =>
      path === '/elsewhere' ? { bytes } : { status: 302, headers: { location: '/elsewhere' }, body: {} };
    await rejection(from(withFile({ downloadUrl: `${baseUrl}/v1/media?fileId=f1` })));
    expect(asked).toHaveLength(1);
  });

  it('larger than allowed are refused while they come', async () => {
    answer = () => ({ bytes: Buffer.alloc(2_000_000) });
    const error = await rejection(
      from(withFile({ downloadUrl: `${baseUrl}/v1/media?fileId=f1` }), { maxMegabytes: 1 }),
    );
    expect(error.message).toBe('The file is larger than 1 MB');
  });

  it('that are gone say that they are kept for 30 days', async () => {
    answer = () => ({ status: 404, body: {} });
    expect((await rejection(from(withFile({ downloadUrl: `${baseUrl}/v1/media?fileId=f1` })))).message).toContain(
      '30 days',
    );
  });
});

describe('asking', () => {
  it('tells a status by name, code and class', async () => {
    answer = () => ({ body: { whatsapp: { status: 'READ', timestamp: 1506607698000 } } });
    const [item] = await run('message.getStatus', { apiMessageId: 'a/1' });
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/v1/message/a%2F1' });
    expect(item?.json).toMatchObject({
      apiMessageId: 'a/1',
      channel: 'whatsapp',
      status: 'READ',
      statusCode: 6,
      statusClass: 'read',
      final: true,
    });
  });

  it('tells an unknown message as one', async () => {
    answer = () => ({ body: { message: 'not found' } });
    expect((await run('message.getStatus', { apiMessageId: 'x' }))[0]?.json).toMatchObject({
      channel: null,
      status: null,
      statusClass: 'unknown',
    });
  });

  it('tells the balance', async () => {
    answer = () => ({ body: { balance: 12.5, currency: 'EUR' } });
    expect(await run('account.getBalance', {})).toEqual([
      { json: { balance: 12.5, currency: 'EUR' }, pairedItem: { item: 0 } },
    ]);
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/v1/balance' });
  });

  it('tries again when Clickatell has a bad moment', async () => {
    answer = () => (asked.length === 1 ? { status: 503, body: {} } : { body: { balance: 1, currency: 'EUR' } });
    await run('account.getBalance', {});
    expect(asked).toHaveLength(2);
  });

  it('marks a message as read', async () => {
    answer = () => ({
      status: 202,
      body: { messageStatusUpdate: [{ apiEventId: 'e1', accepted: true, error: null }] },
    });
    const [item] = await run('message.markAsRead', { messageId: 'm1' });
    const update = {
      channel: 'whatsapp',
      statusCode: 1001,
      messageId: 'm1',
      clientEventId: item?.json['clientEventId'],
    };
    expect(asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/notification',
      body: { event: { messageStatusUpdate: [update] } },
    });
    expect(item?.json).toMatchObject({ accepted: true, apiEventId: 'e1', messageId: 'm1' });
  });
});
