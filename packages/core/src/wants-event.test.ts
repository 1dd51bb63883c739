import { describe, expect, it } from 'vitest';
import { type Wish, wantsEvent } from './destination.ts';

const message = (channel: string | null) => ({ type: 'moText', channel, data: {} });
const status = (statusClass?: string) => ({
  type: 'messageStatusUpdate',
  channel: 'whatsapp',
  data: statusClass === undefined ? {} : { class: statusClass },
});

describe('a destination wants', () => {
  it.each<[string, Wish, ReturnType<typeof message> | ReturnType<typeof status>, boolean]>([
    ['events of its types', { events: ['mo*'] }, message('sms'), true],
    ['no others', { events: ['mo*'] }, status('read'), false],
    ['every channel when it names none', { events: ['*'] }, message(null), true],
    ['its channels', { events: ['*'], channels: ['sms', 'whatsapp'] }, message('whatsapp'), true],
    ['them in any case', { events: ['*'], channels: ['whatsapp'] }, message('WhatsApp'), true],
    ['no other channel', { events: ['*'], channels: ['whatsapp'] }, message('sms'), false],
    ['a channel that may be either', { events: ['*'], channels: ['sms'] }, message('whatsapp/sms'), true],
    ['no event without a channel when it names some', { events: ['*'], channels: ['sms'] }, message(null), false],
    ['its classes of status', { events: ['*'], classes: ['failed', 'read'] }, status('failed'), true],
    ['no other class', { events: ['*'], classes: ['failed'] }, status('delivered'), false],
    ['a status of no class as unknown', { events: ['*'], classes: ['unknown'] }, status(), true],
    ['messages whatever its classes', { events: ['*'], classes: ['failed'] }, message('sms'), true],
    ['what fits all it names', { events: ['*'], channels: ['sms'], classes: ['failed'] }, status('failed'), false],
  ])('%s', (_, wish, event, expected) => {
    expect(wantsEvent(wish, event)).toBe(expected);
  });
});
