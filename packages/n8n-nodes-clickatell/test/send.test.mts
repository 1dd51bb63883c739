import { samples } from '@clickrelay/simulator';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { accept, eventItem, rejection, useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();
const { run, sent } = clickatell;

describe('sending', () => {
  it('sends a text with the raw key, and gives the ids that its statuses will have', async () => {
    const [item] = await run('message.sendText', { text: 'Hello', to: '+27 99 990-0001' });
    expect(clickatell.asked).toHaveLength(1);
    expect(clickatell.asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/message',
      headers: { authorization: 'the-key' },
    });
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
        eventId: null,
      },
      pairedItem: { item: 0 },
    });
  });

  it.each([
    ['+27 (99) 990-0001', '27999900001'],
    ['0027999900001', '27999900001'],
    ['27.99.990.0001', '27999900001'],
    [27_999_900_001, '27999900001'],
    ['GB.1A2B3C4D5E6F', 'GB.1A2B3C4D5E6F'],
  ])('takes %s for a number as people write it', async (to, number) => {
    await run('message.sendText', { text: 'x', to });
    expect(sent().to).toBe(number);
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
    clickatell.reply = (one) =>
      one.path.startsWith('/v1/media') ? { body: { fileId: 'f9', accepted: true, error: null } } : accept(one);
    await run(
      'message.sendMedia',
      { mediaSource: 'binary', mediaTransport: 'upload', binaryPropertyName: 'data' },
      { items: [picture] },
    );
    expect(clickatell.asked[0]).toMatchObject({
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
    clickatell.reply = () => ({ status: 404, body: { error: { code: 41, description: 'Resource not found' } } });
    const error = await rejection(run('media.upload', { binaryPropertyName: 'data' }, { items: [picture] }));
    expect(error.message).toBe('Media cannot be uploaded with this integration');
  });

  it.each([
    ['an empty text', 'sendText', { text: ' ' }, 'The text is empty'],
    ['no recipient', 'sendText', { text: 'x', to: '' }, 'There is no recipient'],
    ['a name', 'sendText', { text: 'x', to: 'not a number' }, 'To is not a phone number'],
    ['two numbers', 'sendText', { text: 'x', to: '27999900001, 27999900002' }, 'To is not a phone number'],
    ['a short number', 'sendText', { text: 'x', to: '12345' }, 'To is not a phone number'],
    ['a national number', 'sendText', { text: 'x', to: '099 990 0001' }, 'To has no country code'],
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
    ['a place that is none', 'sendLocation', { latitude: '91', longitude: '0' }, 'Latitude is not a coordinate'],
    ['raw that is no JSON', 'sendRaw', { rawMessages: '{' }, 'Messages is not JSON'],
  ])('refuses %s before anything is sent', async (_what, operation, parameters, message) => {
    const error = await rejection(run(`message.${operation}`, parameters as IDataObject));
    expect(error).toMatchObject({ message, context: { itemIndex: 0 } });
    expect(error.description).toBeTruthy();
    expect(clickatell.asked).toEqual([]);
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
