import { samples } from '@clickrelay/simulator';
import type { IDataObject } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { ClickatellWebhookTrigger } from '../nodes/ClickatellWebhookTrigger/ClickatellWebhookTrigger.node.ts';
import { carriesSecret } from '../nodes/ClickatellWebhookTrigger/carries-secret.ts';
import { fakeHook, fakeWebhook } from './fake-n8n.mts';

const SECRET = 'a long random word';
const trigger = new ClickatellWebhookTrigger();

type Request = Omit<Parameters<typeof fakeWebhook>[0], 'credentials'>;

const receive = async ({ parameters, query = { token: SECRET }, ...rest }: Request) => {
  const { functions, answer } = fakeWebhook({
    parameters: { events: ['*'], ...parameters },
    credentials: {
      clickatellApi: { apiKey: 'key', baseUrl: 'https://platform.clickatell.com', callbackSecret: SECRET },
    },
    query,
    ...rest,
  });
  const response = await trigger.webhook.call(functions);
  return { ...response, answer, items: (response.workflowData?.[0] ?? []).map(({ json }) => json as IDataObject) };
};

const reply = JSON.stringify(samples.reply);
const status = JSON.stringify(samples.status);

describe('a callback straight from Clickatell', () => {
  it('starts the workflow with one item for each event', async () => {
    const { items, webhookResponse } = await receive({ body: reply });
    expect(webhookResponse).toEqual({ accepted: 8 });
    expect(items.map(({ type }) => type)).toEqual([
      'moText',
      'moMedia',
      'moMedia',
      'moLocation',
      'moContacts',
      'moSuggestedResponse',
      'moListPickerResponse',
      'moButtonResponse',
    ]);
    expect(items[0]).toMatchObject({ text: 'Text Content of the reply message', attempt: 1, test: false });
  });

  it('has the event ids that Clickrelay gives, also where n8n kept no bytes of it', async () => {
    const { items } = await receive({ body: reply });
    const parsed = await receive({ body: reply, parsedOnly: true });
    expect(parsed.items.map(({ eventId }) => eventId)).toEqual(items.map(({ eventId }) => eventId));
  });

  it('keeps digits apart that parsing loses', async () => {
    const id = async (digits: string) =>
      (await receive({ body: `{"event":{"moText":[{"messageId":${digits}}]}}` })).items[0]?.['eventId'];
    expect(await id('90071992547409931')).not.toBe(await id('90071992547409932'));
  });

  it('starts nothing for what was not chosen, and takes it', async () => {
    const messages = { parameters: { events: ['mo*'] } };
    expect(await receive({ body: status, ...messages })).toMatchObject({
      answer: { status: 200, body: { accepted: 0 } },
      items: [],
    });
    const failures = { parameters: { events: ['messageStatusUpdate'], statusClasses: ['failed'] } };
    expect(await receive({ body: status, ...failures })).toMatchObject({ noWebhookResponse: true, items: [] });
    const delivered = { parameters: { events: ['messageStatusUpdate'], statusClasses: ['delivered'] } };
    expect((await receive({ body: status, ...delivered })).items).toHaveLength(1);
    // Of the sample: "whatsapp/sms".
    const over = (channels: string[]) => ({ parameters: { events: ['*'], options: { channels } } });
    expect((await receive({ body: status, ...over(['viber', 'sms']) })).items).toHaveLength(1);
    expect((await receive({ body: status, ...over(['viber']) })).items).toHaveLength(0);
  });

  it('is refused when it is no callback, so that Clickatell keeps it', async () => {
    const { answer, noWebhookResponse } = await receive({ body: '[1, 2]' });
    expect({ noWebhookResponse, ...answer }).toEqual({
      noWebhookResponse: true,
      status: 422,
      body: { error: { code: 'invalid_callback', message: 'callback must be a JSON object, got array' } },
    });
  });

  it('is taken when it is the probe of a portal: empty, or a GET', async () => {
    expect((await receive({ body: '' })).answer.status).toBe(200);
    expect((await receive({ name: 'setup' })).answer.status).toBe(200);
  });

  it('is marked as a test in the editor', async () => {
    expect((await receive({ body: reply, mode: 'manual' })).items[0]).toMatchObject({ test: true });
  });
});

describe('the secret', () => {
  it.each([
    ['none', {}, {}],
    ['a wrong one', { token: 'another long word' }, {}],
    ['an empty one', { token: '' }, {}],
    ['an object', { token: { $ne: '' } }, {}],
    ['a wrong password', {}, { authorization: `Basic ${btoa('user:wrong')}` }],
    ['no password', {}, { authorization: `Basic ${btoa(SECRET)}` }],
  ])('%s is answered 401 and starts nothing', async (_what, query, headers) => {
    for (const name of ['default', 'setup'] as const) {
      const { answer, items } = await receive({ body: reply, query: query as IDataObject, headers, name });
      expect(answer.status).toBe(401);
      expect(items).toEqual([]);
      expect(JSON.stringify(answer.body)).not.toContain(SECRET);
    }
  });

  it('may be the password of basic authentication', async () => {
    const headers = { authorization: `Basic ${btoa(`clickatell:${SECRET}`)}` };
    expect((await receive({ body: reply, query: {}, headers })).items).toHaveLength(8);
  });

  it('is never empty: nothing gets in without one', () => {
    expect(carriesSecret({ token: '' }, {}, '')).toBe(false);
    expect(carriesSecret({}, { authorization: `Basic ${btoa('user:')}` }, '')).toBe(false);
  });

  it('must be set before the workflow can be activated', async () => {
    const { create, checkExists, delete: remove } = trigger.webhookMethods.default;
    const hook = (callbackSecret: string) => fakeHook({ credentials: { clickatellApi: { callbackSecret } } });
    await expect(create.call(hook(' '))).rejects.toThrow('The credential has no callback secret');
    expect(await checkExists.call(hook(SECRET))).toBe(false);
    expect(await create.call(hook(SECRET))).toBe(true);
    expect(await remove.call(hook(SECRET))).toBe(true);
  });
});
