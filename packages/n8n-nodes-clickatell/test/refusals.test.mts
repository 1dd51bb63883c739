import type { IDataObject } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { outputsOf } from './fake-n8n.mts';
import { type Asked, accept, type Reply, rejection, useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();
const { run } = clickatell;

describe('what Clickatell refuses', () => {
  const refuse =
    (code: number, description = 'no') =>
    ({ body }: Asked): Reply => ({
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
    clickatell.reply = refuse(code);
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error).toMatchObject({ name: 'NodeApiError', message, context: { itemIndex: 0 } });
    expect(error.description).toContain(todo);
    expect(clickatell.asked).toHaveLength(1);
  });

  it('a bad key and an empty account say what to do', async () => {
    clickatell.reply = () => ({
      status: 401,
      body: { messages: [], error: { code: 1, description: 'Invalid or missing key' } },
    });
    expect((await rejection(run('message.sendText', { text: 'x' }))).message).toContain('does not know this API key');
    clickatell.reply = () => ({ status: 402, body: { error: 'No funds' } });
    expect((await rejection(run('message.sendText', { text: 'x' }))).message).toContain('No funds');
  });

  it('becomes an item where the workflow goes on, which says what it is about, and the other items are sent', async () => {
    const [refused, good] = ['27999900001', '27999900002'];
    clickatell.reply = (one) => (one.body.messages[0].to === refused ? refuse(26)(one) : accept(one));
    const items = [refused, good, 'nobody'].map((to) => ({ json: { to, name: 'Ann' } }));
    const given = await run(
      'message.sendText',
      { text: 'x' },
      { items, continueOnFail: true, perItem: ({ json }) => ({ to: json['to'] as string }) },
    );
    const { success, error } = outputsOf(given, items);
    expect(success.map(({ json }) => [json['to'], json['accepted']])).toEqual([[good, true]]);
    const message = 'The recipient has opted out (Clickatell error 26)';
    expect(error[0]).toEqual({
      json: {
        name: 'Ann',
        to: refused,
        message,
        error: {
          code: 26,
          message,
          description: expect.stringContaining('Do not try again'),
          to: refused,
          channel: 'whatsapp',
          clientMessageId: expect.any(String),
          eventId: null,
        },
      },
      pairedItem: { item: 0 },
    });
    expect(error[1]?.json).toMatchObject({ to: 'nobody', error: { code: null, to: 'nobody', channel: 'whatsapp' } });
  });

  it('an answer that does not come says that the message may have been sent', async () => {
    clickatell.reply = () => {
      clickatell.cut();
      return {};
    };
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error).toMatchObject({ name: 'NodeApiError', message: 'Clickatell does not answer' });
    expect(error.description).toContain('may arrive twice');
    expect(JSON.stringify(error)).not.toContain('the-key');
    expect(clickatell.asked).toHaveLength(1);
  });

  it('an internal error is not tried again: the message may have been sent', async () => {
    clickatell.reply = () => ({ status: 500, body: { error: { code: 18, description: 'Internal' } } });
    await rejection(run('message.sendText', { text: 'x' }));
    expect(clickatell.asked).toHaveLength(1);
  });
});

describe('the rate limit', () => {
  it('of a whole request (HTTP 400) is waited for', async () => {
    clickatell.reply = (one) =>
      clickatell.asked.length < 3
        ? { status: 400, body: { messages: [], error: { code: 43, description: 'Rate limit' } } }
        : accept(one);
    const [item] = await run('message.sendText', { text: 'x' });
    expect(item?.json['accepted']).toBe(true);
    expect(clickatell.asked).toHaveLength(3);
    expect(new Set(clickatell.asked.map(({ body }) => body.messages[0].clientMessageId)).size).toBe(1);
  });

  it('of some messages sends only those again', async () => {
    const messages = ['1', '2', '3'].map((to) => ({ channel: 'sms', to, content: 'x' }));
    clickatell.reply = (one) => {
      const full = (accept(one).body as { messages: IDataObject[] }).messages;
      if (clickatell.asked.length > 1) return { status: 202, body: { messages: full } };
      const refused = { apiMessageId: null, accepted: false, error: { code: 43, description: 'Rate limit' } };
      // In another order than they were sent in.
      return {
        status: 207,
        body: { messages: [{ ...full[2], ...refused }, full[0], { ...full[1], ...refused }], error: null },
      };
    };
    const items = await run('message.sendRaw', { rawMessages: messages });
    expect(clickatell.asked.map(({ body }) => body.messages.map(({ to }: IDataObject) => to))).toEqual([
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
    clickatell.reply = () => ({ status: 400, body: { error: { code: 43, description: 'Rate limit' } } });
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error.message).toBe('Clickatell’s rate limit is reached (Clickatell error 43)');
    expect(clickatell.asked).toHaveLength(5);
  });
});

describe('an error that stands at the message', () => {
  it.each([400, 401, 402, 503])('is read from an answer with HTTP %i', async (status) => {
    clickatell.reply = ({ body }) => ({
      status,
      body: {
        messages: body.messages.map(({ to, clientMessageId }: IDataObject) => ({
          apiMessageId: null,
          accepted: false,
          to,
          clientMessageId,
          error: { code: 25, description: 'Invalid destination address' },
        })),
        error: null,
      },
    });
    const error = await rejection(run('message.sendText', { text: 'x' }));
    expect(error.message).toBe('The recipient’s number is wrong (Clickatell error 25)');
  });

  it('that says the rate limit is reached is waited for, whatever the status', async () => {
    const error = { code: 43, description: 'Rate limit' };
    clickatell.reply = (one) =>
      clickatell.asked.length > 1
        ? accept(one)
        : { status: 400, body: { messages: [{ apiMessageId: null, accepted: false, error }], error: null } };
    const [item] = await run('message.sendText', { text: 'x' });
    expect(item?.json['accepted']).toBe(true);
    expect(clickatell.asked).toHaveLength(2);
  });

  it('does not hide those that were accepted', async () => {
    clickatell.reply = ({ body }) => ({
      status: 400,
      body: {
        messages: [
          { apiMessageId: 'a1', accepted: true, to: '1', clientMessageId: body.messages[0].clientMessageId },
          { accepted: false, to: '2', clientMessageId: body.messages[1].clientMessageId },
        ],
      },
    });
    const items = await run('message.sendRaw', { rawMessages: [{ to: '1' }, { to: '2' }] });
    expect(items.map(({ json }) => [json['to'], json['accepted']])).toEqual([
      ['1', true],
      ['2', false],
    ]);
  });
});

describe('several messages as raw JSON', () => {
  it('make an item each, and one that is refused does not hide the others', async () => {
    clickatell.reply = ({ body }) => ({
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
        json: {
          accepted: true,
          apiMessageId: 'a1',
          clientMessageId: 'c1',
          to: '1',
          channel: null,
          error: null,
          eventId: null,
        },
        pairedItem: { item: 0 },
      },
      {
        json: expect.objectContaining({ accepted: false, to: '2', error: expect.objectContaining({ code: 26 }) }),
        pairedItem: { item: 0 },
      },
    ]);
  });

  it('are an error when none is accepted', async () => {
    clickatell.reply = () => ({
      status: 207,
      body: { messages: [{ accepted: false, error: { code: 27, description: '' } }] },
    });
    expect((await rejection(run('message.sendRaw', { rawMessages: { to: '1', content: 'x' } }))).message).toContain(
      '27',
    );
  });
});
