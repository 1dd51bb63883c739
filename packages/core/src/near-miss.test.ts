import { expect, it } from 'vitest';
import { nearMiss } from './near-miss.ts';

const WORDS = ['moText', 'moMedia', 'messageStatusUpdate', 'whatsapp', 'sms', 'EGRESS_ALLOW', 'type'];

it.each([
  ['moTxt', 'moText'],
  ['motext', 'moText'],
  ['moTexts', 'moText'],
  ['moetxt', 'moText'],
  ['omText', 'moText'],
  ['whatsap', 'whatsapp'],
  ['WhatsApp', 'whatsapp'],
  ['messageStausUpdte', 'messageStatusUpdate'],
  ['EGRES_ALLOW', 'EGRESS_ALLOW'],
  ['moText', undefined],
  ['mms', undefined],
  ['moReaction', undefined],
  ['telegram', undefined],
  ['', undefined],
])('%j is near %j', (text, word) => {
  expect(nearMiss(text, WORDS)).toBe(word);
});

it('finds short words where the text is known to be wrong', () => {
  expect(nearMiss('typo', WORDS, { shortest: 3 })).toBe('type');
});
