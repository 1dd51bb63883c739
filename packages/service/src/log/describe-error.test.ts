import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeError, errorFields } from './describe-error.ts';

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
};
const frames = expect.any(Array);

describe('describeError', () => {
  it('leaves out messages that may quote their input', () => {
    const badJson = thrownBy(() => JSON.parse('canary'));
    expect(describeError(badJson)).toEqual({ name: 'SyntaxError', frames });
    const reply = Object.assign(new Error('OOM command not allowed: canary'), { name: 'ReplyError' });
    expect(describeError(reply)).toEqual({ name: 'ReplyError', redisCode: 'OOM', frames });
    expect(JSON.stringify([describeError(badJson), describeError(reply)])).not.toContain('canary');
  });

  it('keeps the message of a mistake in our code, and the code of a system error', () => {
    expect(describeError(new RangeError('out of bounds'))).toEqual({
      name: 'RangeError',
      message: 'out of bounds',
      frames,
    });
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(describeError(refused)).toEqual({ name: 'Error', code: 'ECONNREFUSED', frames });
    expect(describeError('canary')).toEqual({ name: 'string' });
  });

  it('names the rules that settings break, without the values', () => {
    const error = thrownBy(() => z.object({ list: z.array(z.number()) }).parse({ list: ['canary'] }));
    expect(describeError(error)).toEqual({
      name: 'ZodError',
      issues: [{ path: 'list.0', message: 'Invalid input: expected number, received string' }],
      frames,
    });
  });

  it('makes fields that do not hide those of the log line', () => {
    expect(errorFields(Object.assign(new TypeError('x is undefined'), { code: 'E' }))).toEqual({
      errorName: 'TypeError',
      errorCode: 'E',
      reason: 'x is undefined',
      frames,
    });
  });
});
