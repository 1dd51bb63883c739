import { describe, expect, it } from 'vitest';
import { useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();
const { run } = clickatell;

describe('asking', () => {
  it('tells a status by name, code and class', async () => {
    clickatell.reply = () => ({ body: { whatsapp: { status: 'READ', timestamp: 1506607698000 } } });
    const [item] = await run('message.getStatus', { apiMessageId: 'a/1' });
    expect(clickatell.asked[0]).toMatchObject({ method: 'GET', path: '/v1/message/a%2F1' });
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
    clickatell.reply = () => ({ body: { message: 'not found' } });
    expect((await run('message.getStatus', { apiMessageId: 'x' }))[0]?.json).toMatchObject({
      channel: null,
      status: null,
      statusClass: 'unknown',
    });
  });

  it('tells the balance', async () => {
    clickatell.reply = () => ({ body: { balance: 12.5, currency: 'EUR' } });
    expect(await run('account.getBalance', {})).toEqual([
      { json: { balance: 12.5, currency: 'EUR' }, pairedItem: { item: 0 } },
    ]);
    expect(clickatell.asked[0]).toMatchObject({ method: 'GET', path: '/v1/balance' });
  });

  it('tries again when Clickatell has a bad moment', async () => {
    clickatell.reply = () =>
      clickatell.asked.length === 1 ? { status: 503, body: {} } : { body: { balance: 1, currency: 'EUR' } };
    await run('account.getBalance', {});
    expect(clickatell.asked).toHaveLength(2);
  });

  it('marks a message as read', async () => {
    clickatell.reply = () => ({
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
    expect(clickatell.asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/notification',
      body: { event: { messageStatusUpdate: [update] } },
    });
    expect(item?.json).toMatchObject({ accepted: true, apiEventId: 'e1', messageId: 'm1' });
  });
});
