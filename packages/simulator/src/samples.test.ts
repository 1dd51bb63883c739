import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { freshCopy, sampleCallback, samples } from './samples.ts';

test('the official samples have the length that their documentation gives', () => {
  expect(Buffer.byteLength(JSON.stringify(samples.status))).toBe(312);
  const maskedMail = '[email protected]'.length - 13;
  expect(Buffer.byteLength(JSON.stringify(samples.reply)) - maskedMail).toBe(3967);
});

test('there is one envelope with one element for each of the eight documented types', () => {
  expect(Object.keys(samples.byType)).toEqual([
    'moText',
    'moMedia',
    'moLocation',
    'moContacts',
    'moSuggestedResponse',
    'moListPickerResponse',
    'moButtonResponse',
    'messageStatusUpdate',
  ]);
  for (const [type, envelope] of Object.entries(samples.byType)) {
    expect(Object.entries(envelope.event).map(([name, elements]) => [name, elements.length])).toEqual([[type, 1]]);
  }
});

test('each sample callback is a new event, and the samples stay as they are', () => {
  const before = JSON.stringify(samples);
  const [a] = sampleCallback('moText', { content: 'hello' }).event['moText'] as [Record<string, unknown>];
  const [b] = sampleCallback('moText').event['moText'] as [Record<string, unknown>];
  expect(a['messageId']).toMatch(/^[0-9a-f]{32}$/);
  expect(a['messageId']).not.toBe(b['messageId']);
  expect(a['content']).toBe('hello');
  expect(Date.now() - (a['timestamp'] as number)).toBeLessThan(60_000);
  expect(JSON.stringify(samples)).toBe(before);
});

test('a type that Clickatell does not have yet gives an event all the same', () => {
  expect(sampleCallback('moReaction', { messageId: 'm-1', timestamp: 1 }).event).toEqual({
    moReaction: [{ ...(samples.byType.moText.event['moText']?.[0] as object), messageId: 'm-1', timestamp: 1 }],
  });
});

test('equal message ids stay equal in a fresh copy', () => {
  const ids = freshCopy(samples.odd.batch, 7).event['messageStatusUpdate']?.map((element) => {
    const { messageId, timestamp } = element as { messageId: string; timestamp: number };
    expect(timestamp).toBe(7);
    return messageId;
  });
  expect(ids?.[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(ids?.[0]).toBe(ids?.[1]);
});
