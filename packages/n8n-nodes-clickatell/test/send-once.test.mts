import { samples } from '@clickrelay/simulator';
import type { IDataObject } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { type RanBefore, theTrigger } from './run-before.mts';
import { accept, eventItem, rejection, useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();

const trigger: RanBefore = {
  name: 'From customers',
  type: theTrigger,
  items: [eventItem(samples.byType.moText)],
};
const before: RanBefore[] = [
  trigger,
  { name: 'Think', type: 'n8n-nodes-base.set', items: [{ json: {}, pairedItem: 0 }] },
];
const say = (options: IDataObject = {}, more: object = {}, text = 'Thanks') =>
  clickatell.run('message.sendText', { text, options }, { before, ...more });
const notes = () => [...clickatell.relay.once.values()].map(({ outcome, result }) => ({ outcome, result }));
const refuse = (status: number, code: number) => () => ({ status, body: { error: { code, description: 'so it is' } } });

describe('a message in a workflow that Clickrelay starts again', () => {
  it('is sent once, and the second try gets the item of the first', async () => {
    const [first] = await say();
    const [again] = await say({}, { mode: 'retry' });
    expect(clickatell.asked).toHaveLength(1);
    expect(again?.json).toEqual({ ...first?.json, alreadySent: true });
    expect(first?.json).not.toHaveProperty('alreadySent');
    expect(notes()).toEqual([{ outcome: 'done', result: 'api-0-27999900001' }]);
  });

  it('is sent again with the option switched off, and for another event', async () => {
    await say();
    await say({ once: false });
    const other = { ...trigger, items: [eventItem(samples.odd.smsWithoutWhatsapp)] };
    await say({}, { before: [other, ...before.slice(1)] });
    expect(clickatell.asked).toHaveLength(3);
  });

  it('is sent once with an id of your own too', async () => {
    await say({ clientMessageId: 'order-7' });
    await say({ clientMessageId: 'order-7' });
    expect(clickatell.asked).toHaveLength(1);
  });

  it.each([
    ['Clickatell refused it', refuse(400, 25)],
    [
      'Clickatell refused it inside of an answer',
      ({ body }: { body: { messages: IDataObject[] } }) => ({
        status: 207,
        body: { messages: [{ accepted: false, to: body.messages[0]?.['to'], error: { code: 26 } }] },
      }),
    ],
    ['the funds were used up', refuse(402, 20)],
  ])('is sent by the next try when %s', async (_why, reply) => {
    clickatell.reply = reply as typeof accept;
    await rejection(say());
    expect(notes()).toEqual([]);
    clickatell.reply = accept;
    const [item] = await say();
    expect(item?.json).toMatchObject({ accepted: true });
    expect(item?.json).not.toHaveProperty('alreadySent');
    expect(clickatell.asked).toHaveLength(2);
  });

  it.each([
    ['had an internal error', refuse(500, 18)],
    ['says nothing but 502', () => ({ status: 502, body: {} })],
    ['said that it has, but not under which id or that it was refused', () => ({ status: 202, body: {} })],
    [
      'cut the connection',
      () => {
        clickatell.cut();
        return {};
      },
    ],
  ])('is not sent again when Clickatell %s: the next try says what to do', async (_what, reply) => {
    clickatell.reply = reply as typeof accept;
    await rejection(say());
    expect(notes()).toMatchObject([{ outcome: 'unknown' }]);
    clickatell.reply = accept;
    const error = await rejection(say());
    expect(error.message).toBe('It is not known whether an earlier try has sent this message');
    expect(error.description).toContain('When in Doubt');
    expect(clickatell.asked).toHaveLength(1);
    const [item] = await say({ inDoubt: 'send' });
    expect(item?.json).toMatchObject({ accepted: true });
    expect(clickatell.asked).toHaveLength(2);
    await say();
    expect(clickatell.asked).toHaveLength(2);
  });

  it('is not sent while another run is at it, and comes out as sent when that one has', async () => {
    const isAsked = Promise.withResolvers<void>();
    // Clickatell has the message of the first run, which waits to tell Clickrelay until the second one has asked.
    clickatell.reply = (one) => {
      isAsked.resolve();
      return accept(one);
    };
    clickatell.relay.fault = ({ path }) => {
      if (path !== '/v1/once/settle') return undefined;
      const asks = clickatell.relay.asked.filter((one) => one.path === '/v1/once').length;
      return asks < 2 ? { status: 503 } : undefined;
    };
    const first = say();
    await isAsked.promise;
    const second = say();
    expect((await first)[0]?.json).not.toHaveProperty('alreadySent');
    expect((await second)[0]?.json).toMatchObject({ accepted: true, alreadySent: true });
    expect(clickatell.asked).toHaveLength(1);
  });

  it('of several, only those go out that did not before', async () => {
    const rawMessages = [
      { to: '1', content: 'a' },
      { to: '2', content: 'b' },
    ];
    clickatell.reply = ({ body }) => ({
      status: 207,
      body: {
        messages: body.messages.map((message: IDataObject) =>
          message['to'] === '1'
            ? { apiMessageId: 'api-1', accepted: true, to: '1', clientMessageId: message['clientMessageId'] }
            : { accepted: false, to: '2', clientMessageId: message['clientMessageId'], error: { code: 25 } },
        ),
      },
    });
    await clickatell.run('message.sendRaw', { rawMessages }, { before });
    clickatell.reply = accept;
    const items = await clickatell.run('message.sendRaw', { rawMessages }, { before });
    expect(clickatell.asked[1]?.body.messages).toMatchObject([{ to: '2' }]);
    expect(items.map(({ json }) => [json['to'], json['accepted'], json['alreadySent']])).toEqual([
      ['1', true, true],
      ['2', true, undefined],
    ]);
  });
});

describe('while Clickrelay cannot note it', () => {
  it('nothing is sent, and the error says so; with the switch it is', async () => {
    clickatell.relay.fault = () => ({ status: 503 });
    const error = await rejection(say());
    expect(error.message).toBe('Clickrelay answered 503: as scripted');
    expect(error.description).toContain('Nothing was sent');
    expect(clickatell.asked).toEqual([]);
    await say({ inDoubt: 'send' });
    expect(clickatell.asked).toHaveLength(1);
  });

  it.each([
    [401, 'Clickrelay does not know this API key'],
    [403, 'This API key may not note what was sent'],
  ])('a key that is refused with %i is an error even with the switch', async (status, message) => {
    clickatell.relay.fault = () => ({ status });
    expect((await rejection(say({ inDoubt: 'send' }))).message).toBe(message);
    expect(clickatell.asked).toEqual([]);
  });

  it('what was sent counts as sent, though Clickrelay went away meanwhile, and the next try is in doubt', async () => {
    clickatell.relay.fault = ({ path }) => (path === '/v1/once/settle' ? { status: 503 } : undefined);
    const [item] = await say();
    expect(item?.json).toMatchObject({ accepted: true });
    expect(notes()).toEqual([{ outcome: undefined, result: undefined }]);
  });
});

describe('without a Clickrelay credential', () => {
  const without = { withoutClickrelay: true };

  it('a workflow that a Clickatell Trigger starts is told to choose one, even in a test', async () => {
    for (const mode of ['trigger', 'manual']) {
      const error = await rejection(say({}, { ...without, mode }));
      expect(error.message).toBe('Choose the Clickrelay credential in this node too');
      expect(error.description).toContain('Send Once per Event');
    }
    expect(clickatell.asked).toEqual([]);
    await say({ once: false }, without);
    expect(clickatell.asked).toHaveLength(1);
  });

  it('a workflow that something else starts sends as before', async () => {
    const webhook = { ...trigger, type: 'n8n-nodes-clickatell.clickatellWebhookTrigger' };
    await say({}, { ...without, before: [webhook, ...before.slice(1)] });
    await say(
      {},
      { ...without, before: [{ name: 'At nine', type: 'n8n-nodes-base.scheduleTrigger', items: [{ json: {} }] }] },
    );
    expect(clickatell.asked).toHaveLength(2);
    expect(clickatell.relay.asked).toEqual([]);
  });
});

it('a message that no event caused is noted nowhere', async () => {
  await clickatell.run('message.sendText', { text: 'x' });
  await clickatell.run('message.sendText', { text: 'x' });
  expect(clickatell.asked).toHaveLength(2);
  expect(clickatell.relay.asked).toEqual([]);
});
