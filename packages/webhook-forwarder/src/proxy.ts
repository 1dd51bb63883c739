import { z } from 'zod';
import { basicText, httpUrl } from './auth.ts';

const members = z.strictObject({
  url: httpUrl.describe('The proxy, such as http://proxy.example.com:3128; the same rules hold as for `url`.'),
  username: basicText.regex(/^[^:]+$/, 'must hold no colon').exactOptional(),
  password: basicText.exactOptional(),
});

/** A proxy between this worker and the destination. */
export const proxy = members.check(({ value: { username, password }, issues }) => {
  if ((username === undefined) === (password === undefined)) return;
  issues.push({ code: 'custom', message: 'proxy must hold username and password together', input: undefined });
});

/** The same as people write it, who may leave out a password that the destination already has. */
export const declaredProxy = members.check(({ value: { username, password }, issues }) => {
  if (username !== undefined || password === undefined) return;
  issues.push({ code: 'custom', message: 'proxy must hold a username beside the password', input: undefined });
});
