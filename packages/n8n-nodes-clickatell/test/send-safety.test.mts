import { samples } from '@clickrelay/simulator';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { type RanBefore, theTrigger } from './run-before.mts';
import { eventItem, rejection, useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();
const { run, sent } = clickatell;

const event = eventItem(samples.byType.moText);
const trigger: RanBefore = { name: 'From customers', type: theTrigger, items: [event] };

/** The trigger, then a node that knows nothing of the event, as a Set or an AI node. */
const behind = (items: INodeExecutionData[], first = trigger): readonly RanBefore[] => [
  first,
  { name: 'Think', type: 'n8n-nodes-base.set', items },
];
const thought = (index = 0): INodeExecutionData => ({ json: { answer: 'Yes' }, pairedItem: { item: index } });
const idOf = async (options: Parameters<typeof run>[2], parameters: IDataObject = {}): Promise<string> => {
  const at = clickatell.asked.length;
  // Each time anew: the second of the same would not be sent.
  clickatell.relay.once.clear();
  await run('message.sendText', { text: 'x', ...parameters }, options);
  return sent(at).clientMessageId;
};

describe('a message in a workflow that an event started', () => {
  it('bears the same id in every try, and another for another event, place, item or round', async () => {
    const first = await idOf({ before: behind([thought()]) });
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    const again = eventItem(samples.byType.moText, { attempt: 2 });
    expect(await idOf({ before: behind([thought()], { ...trigger, items: [again] }), mode: 'retry' })).toBe(first);

    const another = { ...trigger, items: [eventItem(samples.odd.smsWithoutWhatsapp)] };
    const others = [
      await idOf({ before: behind([thought()], another) }),
      await idOf({ before: behind([thought()]), node: { id: 'a-duplicated-node' } }),
      await idOf({ before: behind([thought()]), runIndex: 1 }),
    ];
    const at = clickatell.asked.length;
    await run('message.sendText', { text: 'x' }, { before: behind([thought(), thought()]) });
    others.push(sent(at + 1).clientMessageId);
    expect(sent(at).clientMessageId).toBe(first);
    expect(new Set([first, ...others]).size).toBe(5);
  });

  it('says which event it is for, and keeps an id of your own', async () => {
    const [item] = await run('message.sendText', { text: 'x' }, { before: behind([thought()]) });
    expect(item?.json['eventId']).toBe(event.json['eventId']);
    const own = { options: { clientMessageId: 'order-7' } };
    expect(await idOf({ before: behind([thought()]) }, own)).toBe('order-7');
  });

  it('has an id of its own where no event started it, and says so', async () => {
    const [item] = await run('message.sendText', { text: 'x' });
    expect(item?.json['eventId']).toBeNull();
    expect(await idOf({})).not.toBe(await idOf({}));
  });

  it('as raw JSON has an id for each of its messages', async () => {
    const rawMessages = [{ to: '1' }, { to: '2' }, { to: '3', clientMessageId: 'own' }];
    const ids = async () => {
      const at = clickatell.asked.length;
      clickatell.relay.once.clear();
      await run('message.sendRaw', { rawMessages }, { before: behind([thought()]) });
      return clickatell.asked[at]?.body.messages.map((message: IDataObject) => message['clientMessageId']);
    };
    const first = await ids();
    expect(new Set(first).size).toBe(3);
    expect(first[2]).toBe('own');
    expect(await ids()).toEqual(first);
  });
});

describe('the event of an item', () => {
  it('is found behind any node, by its paired item', async () => {
    await run('message.reply', { text: 'Thanks' }, { before: behind([thought()]) });
    expect(sent()).toMatchObject({ to: '2799900001', channel: 'whatsapp' });
  });

  it('is found where a node broke the pairing, while the trigger gave only one', async () => {
    await run('message.reply', { text: 'Thanks' }, { before: behind([{ json: {} }]) });
    expect(sent()).toMatchObject({ to: '2799900001' });
  });

  it('is the right one of several', async () => {
    const second = eventItem(samples.odd.smsWithoutWhatsapp);
    const several = { ...trigger, type: 'n8n-nodes-clickatell.clickatellWebhookTrigger', items: [event, second] };
    await run('message.reply', { text: 'x' }, { before: behind([thought(1), thought(0)], several) });
    expect([sent(0).to, sent(1).to]).toEqual([second.json['from'], event.json['from']]);
  });

  it('is none where it cannot be told which: nothing is sent, and the error says what to do', async () => {
    const several = { ...trigger, items: [event, eventItem(samples.odd.smsWithoutWhatsapp)] };
    const error = await rejection(
      run('message.reply', { text: 'x' }, { before: behind([{ json: {} }, { json: {} }], several) }),
    );
    expect(error).toMatchObject({ message: 'No event of a Clickatell trigger leads to this item' });
    expect(error.description).toContain('Set Event');
    expect(clickatell.asked).toEqual([]);
  });

  it('gives its media to a download behind other nodes', async () => {
    const media = { ...trigger, items: [eventItem(samples.byType.moMedia)] };
    const given = { downloadFrom: 'event', outputField: 'data' };
    const [item] = await run('media.download', given, { before: behind([thought()], media) });
    expect(item?.binary?.['data']).toBeDefined();
  });
});

describe('nothing is sent', () => {
  const testEvent = eventItem(samples.byType.moText, { test: true });

  it.each([
    ['for a test event', { before: behind([thought()], { ...trigger, items: [testEvent] }), mode: 'trigger' as const }],
    ['for a test event in a sub-workflow', { items: [testEvent], mode: 'integrated' as const }],
    ['when somebody runs the workflow by hand', { before: behind([thought()]), mode: 'manual' as const }],
    ['when n8n evaluates the workflow', { before: behind([thought()]), mode: 'evaluation' as const }],
    [
      'by hand, even if the trigger did not run',
      { before: behind([thought()], { ...trigger, items: [] }), mode: 'manual' as const },
    ],
  ])('%s, and the item says what would have been', async (_what, options) => {
    const [item] = await run('message.sendText', { text: 'Hello' }, options);
    expect(clickatell.asked).toEqual([]);
    expect(item?.json).toMatchObject({
      accepted: false,
      held: 'test event',
      apiMessageId: null,
      to: '27999900001',
      channel: 'whatsapp',
      error: null,
      wouldSend: { channel: 'whatsapp', to: '27999900001', content: 'Hello' },
    });
  });

  it('and nothing uploaded', async () => {
    const binary = { data: { data: '', mimeType: 'image/png' } };
    const [item] = await run(
      'message.sendMedia',
      { mediaSource: 'binary', mediaTransport: 'upload', binaryPropertyName: 'data', caption: 'c' },
      { before: behind([{ ...thought(), binary }]), mode: 'manual' },
    );
    expect(clickatell.asked).toEqual([]);
    expect(item?.json['wouldSend']).toMatchObject({ media: { contentType: 'image/png', caption: 'c' } });
  });

  it.each(['sendText', 'reply', 'sendRaw'])('unless the switch allows it: %s', async (operation) => {
    const parameters = { text: 'x', rawMessages: { to: '1', content: 'x' }, options: { sendInTests: true } };
    const [item] = await run(`message.${operation}`, parameters, { before: behind([thought()]), mode: 'manual' });
    expect(item?.json['accepted']).toBe(true);
    expect(clickatell.asked).toHaveLength(1);
    expect(sent()).not.toHaveProperty('sendInTests');
  });

  it('but a workflow that no event starts may send by hand', async () => {
    const before = [{ name: 'By hand', type: 'n8n-nodes-base.manualTrigger', items: [{ json: {} }] }];
    const [item] = await run('message.sendText', { text: 'x' }, { before, mode: 'manual' });
    expect(item?.json['accepted']).toBe(true);
  });
});
