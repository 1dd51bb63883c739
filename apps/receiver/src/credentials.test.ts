import { describe, expect, it } from 'vitest';
import { digestOf, parseCallbackAuth } from './credentials.ts';

describe('CALLBACK_AUTH', () => {
  it('takes a list of credentials, even several of a kind', () => {
    expect(parseCallbackAuth('basic:ann:pa:ss, query:one,query:two,header:X-Secret:three')).toEqual([
      { kind: 'basic', digest: digestOf('ann:pa:ss') },
      { kind: 'query', digest: digestOf('one') },
      { kind: 'query', digest: digestOf('two') },
      { kind: 'header', name: 'x-secret', digest: digestOf('three') },
    ]);
  });

  it('decodes %2C to a comma, and nothing else', () => {
    expect(parseCallbackAuth('query:a%2Cb%2c%41%')).toEqual([{ kind: 'query', digest: digestOf('a,b,%41%') }]);
  });

  it('accepts any callback only when told so in one word', () => {
    expect(parseCallbackAuth(' none ')).toBe('none');
  });

  it.each([
    ['', 'CALLBACK_AUTH is empty; set at least one credential, or CALLBACK_AUTH=none to accept any callback'],
    ['query:hunter2,', 'CALLBACK_AUTH entry 2 is empty; remove the comma'],
    ['query:hunter2,none', 'CALLBACK_AUTH entry 2 is `none`, which stands alone; remove it or the other entries'],
    ['basic:hunter2', 'CALLBACK_AUTH entry 1 (basic) needs a user and a password: basic:<user>:<password>'],
    ['basic::hunter2', 'CALLBACK_AUTH entry 1 (basic) needs a user and a password: basic:<user>:<password>'],
    ['query:ok,query:', 'CALLBACK_AUTH entry 2 (query) needs a secret: query:<secret>'],
    ['header:hunter2', 'CALLBACK_AUTH entry 1 (header) needs a header name and a secret: header:<name>:<secret>'],
    ['header:a b:hunter2', 'CALLBACK_AUTH entry 1 (header) needs a header name and a secret: header:<name>:<secret>'],
    [
      'hunter2',
      'CALLBACK_AUTH entry 1 has an unknown kind; write basic:<user>:<password>, query:<secret> or header:<name>:<secret>',
    ],
  ])('refuses %j, naming its position and kind but not its text', (text, message) => {
    expect(() => parseCallbackAuth(text)).toThrow(new Error(message));
  });
});
