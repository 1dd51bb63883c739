import { QueueUnavailableError } from '@clickrelay/core';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { RequestRefusedError } from './errors.ts';
import { renderErrors } from './render-error.ts';

/** The answer to a request that ends in this error. */
const rendered = async (error: unknown) => {
  const headers: Record<string, string> = {};
  const set = (name: string, value: string) => {
    headers[name] = value;
  };
  const ctx = { method: 'GET', path: '/', status: 404, body: undefined as unknown, set };
  await renderErrors(pino({ level: 'silent' }), () => undefined)(ctx as never, () => Promise.reject(error));
  return { status: ctx.status, body: ctx.body, headers };
};

describe('an error becomes an answer', () => {
  it.each([
    ['a refusal', new RequestRefusedError(429, 'too_many_requests', 'later', { retryAfterMs: 1_200 }), 429],
    ['Redis away, as the queue says it', new QueueUnavailableError('away'), 503],
    ['Redis away, as ioredis says it', new Error('whatever its text is'), 503],
    ['a connection that is refused', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 503],
    ['a fault in the code', new TypeError('Connection is closed'), 500],
    ['a file that is missing', Object.assign(new Error('open'), { code: 'ENOENT' }), 500],
    ['what is no error at all', 'Command timed out', 500],
  ])('%s', async (_, error, status) => {
    expect((await rendered(error)).status).toBe(status);
  });

  it('says when to ask again', async () => {
    const refused = new RequestRefusedError(429, 'too_many_requests', 'later', { retryAfterMs: 1_200 });
    expect((await rendered(refused)).headers).toEqual({ 'Retry-After': '2' });
    expect(await rendered(new Error('closed'))).toMatchObject({
      body: { error: { code: 'queue_unavailable' } },
      headers: { 'Retry-After': '2' },
    });
  });
});
