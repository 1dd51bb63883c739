import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createAuthenticator } from './authenticate.ts';
import { parseCallbackAuth } from './credentials.ts';

const request = (url: string, rawHeaders: string[] = []) => {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] as string).toLowerCase()] ??= rawHeaders[i + 1] as string;
  return { url, headers, rawHeaders } as unknown as IncomingMessage;
};
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const check = (auth: string, url: string, rawHeaders: string[] = []) => {
  const credentials = parseCallbackAuth(auth);
  if (credentials === 'none') throw new Error('a test of credentials needs some');
  return createAuthenticator(credentials)(request(url, rawHeaders));
};

const all = 'basic:ann:pa:ss,basic:ann:new,query:s1,query:s2,header:X-Secret:h1,header:X-Secret:h2,header:X-Other:o';

describe('a request is accepted with any one of the credentials', () => {
  it.each([
    ['basic, a password with a colon', '/', ['Authorization', basic('ann:pa:ss')]],
    ['basic, the second of two', '/', ['Authorization', basic('ann:new')]],
    ['basic, the scheme in other letters', '/', ['authorization', basic('ann:new').replace('Basic', 'bASIC')]],
    ['query', '/?token=s1', []],
    ['query, the second, among other parameters', '/?a=b&token=s2&c', []],
    ['header', '/', ['x-secret', 'h1']],
    ['header, the second', '/', ['X-SECRET', 'h2']],
    ['another header', '/', ['X-Other', 'o']],
    ['a right one beside a wrong one', '/?token=wrong', ['X-Other', 'o']],
  ])('%s', (_, url, rawHeaders) => {
    expect(check(all, url, rawHeaders).matched).toBeDefined();
  });

  it('compares what was meant, not how it was encoded', () => {
    expect(check('query:a b%2Cß', '/?token=a%20b%2C%C3%9F').matched).toBeDefined();
    expect(check('basic:ann:ß', '/', ['Authorization', basic('ann:ß')]).matched).toBeDefined();
    // Node shows the bytes of a header as Latin-1.
    expect(check('header:x:ß', '/', ['x', Buffer.from('ß').toString('latin1')]).matched).toBeDefined();
  });
});

describe('any other request is refused', () => {
  it.each([
    ['nothing shown', '/', [], []],
    ['another scheme', '/', ['Authorization', 'Bearer s1'], []],
    ['another parameter', '/?Token=s1', [], []],
    ['an empty secret', '/?token=', [], ['query secret']],
    ['a longer secret', '/?token=s11', [], ['query secret']],
    ['a secret of another kind', '/?token=h1', ['X-Secret', 's1'], ['query secret', 'header']],
    ['a user without its password', '/', ['Authorization', basic('ann:')], ['basic']],
    ['no base64', '/', ['Authorization', 'Basic %%%'], ['basic']],
    [
      'two Authorization headers, the first one right',
      '/',
      ['Authorization', basic('ann:new'), 'AUTHORIZATION', basic('eve:x')],
      ['two authorization headers'],
    ],
    [
      'two Authorization headers beside a right secret',
      '/?token=s1',
      ['Authorization', basic('ann:new'), 'Authorization', basic('ann:new')],
      ['two authorization headers'],
    ],
  ])('%s', (_, url, rawHeaders, tried) => {
    expect(check(all, url, rawHeaders)).toEqual({ matched: undefined, tried });
  });
});
