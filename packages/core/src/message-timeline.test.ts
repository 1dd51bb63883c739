import { describe, expect, it } from 'vitest';
import { type Event, splitCallback } from './event.ts';
import { describeMessage } from './message-timeline.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

const eventOf = (type: string, element: Record<string, unknown>, receivedAt: string): Event => {
  const text = JSON.stringify({ integrationId: 'i', event: { [type]: [element] } });
  return (splitCallback(text, receivedAt)[0] as { event: Event }).event;
};

const status = (statusCode: number, happened: number, received = happened, more = {}): Event =>
  eventOf(
    'messageStatusUpdate',
    {
      messageId: 'm1',
      clientMessageId: 'order-7',
      channel: 'sms',
      statusCode,
      timestamp: Date.parse(at(happened)),
      ...more,
    },
    at(received),
  );
const reply = (messageId: string, relatedMessageId: string | null, happened: number): Event =>
  eventOf(
    'moText',
    { messageId, relatedMessageId, from: '1', to: '2', content: 'hi', timestamp: Date.parse(at(happened)) },
    at(happened),
  );

describe('the story of a message', () => {
  it('is its statuses by their own time, the late ones marked, where it stands, and what was answered', () => {
    const [queued, sent, delivered, read] = [status(2, 1), status(4, 2, 9), status(5, 3, 10), status(6, 4, 5)];
    const [second, first] = [reply('r2', 'm1', 8), reply('r1', 'm1', 7)];
    const told = describeMessage('m1', [read, second, delivered, queued, first, sent, reply('r3', 'm2', 1)]);
    expect(told).toMatchObject({ messageId: 'm1', clientMessageId: 'order-7', channel: 'sms', received: [] });
    expect(told.statuses.map(({ name, late }) => [name, late])).toEqual([
      ['QUEUED', false],
      ['SENT_TO_SUPPLIER', true],
      ['DEVICE_ACK', true],
      ['READ', false],
    ]);
    expect(told.statuses[3]).toEqual({
      id: read?.id,
      code: 6,
      name: 'READ',
      class: 'read',
      final: true,
      occurredAt: at(4),
      receivedAt: at(5),
      late: false,
    });
    expect(told.current).toEqual(told.statuses[3]);
    expect(told.replies).toEqual([first, second]);
  });

  it('of one that a customer sent is the message and what refers to it', () => {
    const [message, answer] = [reply('m1', null, 1), reply('m2', 'm1', 2)];
    expect(describeMessage('m1', [answer, message])).toMatchObject({
      clientMessageId: null,
      current: null,
      statuses: [],
      received: [message],
      replies: [answer],
    });
  });

  it('of one that refers to itself is told once', () => {
    const odd = reply('m1', 'm1', 1);
    expect(describeMessage('m1', [odd])).toMatchObject({ received: [odd], replies: [] });
  });

  it('keeps a status that does not fit its type, as unknown', () => {
    const told = describeMessage('m1', [status(5, 1), status(5, 2, 2, { status: { odd: true } })]);
    expect(told.statuses.map(({ class: statusClass }) => statusClass)).toEqual(['delivered', 'unknown']);
    expect(told.current?.class).toBe('delivered');
  });
});
