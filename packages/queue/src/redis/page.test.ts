import { describe, expect, it } from 'vitest';
import { defineCursor } from './page.ts';

const places = defineCursor({ at: /\d{1,15}/, id: /dlv_[\w-]+|/ });

describe('a cursor', () => {
  it('is read as the place that was written', () => {
    expect(places.write({ at: 5, id: 'dlv_a' })).toBe('5.dlv_a');
    expect(places.read('5.dlv_a')).toEqual({ at: '5', id: 'dlv_a' });
    expect(places.read(places.write({ at: 5, id: '' }))).toEqual({ at: '5', id: '' });
  });

  it.each([
    undefined,
    '',
    'rubbish',
    '5',
    '.dlv_a',
    '5.dlv_a\n',
    'x5.dlv_a',
    '5.evt_a',
    '5.dlv_a.1',
    `${'5'.repeat(16)}.`,
  ])('of another list, or none, is no place: %j', (text) => expect(places.read(text)).toBeUndefined());
});
