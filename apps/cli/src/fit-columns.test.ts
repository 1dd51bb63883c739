import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { fitColumns, pad, shorten } from './fit-columns.ts';

const head = ['RECEIVED', 'EVENT', 'ERROR'];
const row = ['2026-11-20T10:00:01Z', 'evt_AAAAAAAAAAAAAAAAAAAAAA', 'answered 503 to the last of ten attempts'];

describe('the columns of a table', () => {
  it('are as wide as needed where there is room', () => {
    expect(fitColumns([head, row], Number.POSITIVE_INFINITY)).toEqual([20, 26, 40]);
    expect(fitColumns([head, row], 90)).toEqual([20, 26, 40]);
  });

  it('give way where words can be left out, and never in an id or a time', () => {
    expect(fitColumns([head, row], 80)).toEqual([20, 26, 30]);
    expect(fitColumns([head, row], 62)).toEqual([20, 26, 12]);
    expect(fitColumns([head, row], 61)).toBeUndefined();
  });

  it('give way together when several have words', () => {
    const words = 'one two three four five six';
    expect(
      fitColumns(
        [
          ['A', 'B'],
          [words, `${words} seven`],
        ],
        42,
      ),
    ).toEqual([20, 20]);
  });

  it('count a wide letter twice', () => {
    expect(fitColumns([['A'], ['你好']], 80)).toEqual([4]);
  });
});

describe('a text that is too long', () => {
  it.each([
    ['answered 503', 12, 'answered 503'],
    ['answered 503', 11, 'answered 5…'],
    ['answered 503', 10, 'answered…'],
    ['你好你好', 6, '你好…'],
    ['你好你好', 5, '你好…'],
    ['你好你好', 4, '你…'],
    ['👨‍👩‍👧👨‍👩‍👧', 3, '👨‍👩‍👧…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
  ])('%j is cut to %d columns, between two letters', (text, width, cut) => {
    expect(shorten(text, width)).toBe(cut);
    expect(stringWidth(cut)).toBeLessThanOrEqual(width);
  });

  it('is padded by what it takes on the screen', () => {
    expect(pad('你', 4)).toBe('你  ');
    expect(pad('\u001B[31mred\u001B[39m', 4)).toBe('\u001B[31mred\u001B[39m ');
  });
});
