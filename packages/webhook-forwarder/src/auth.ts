import { z } from 'zod';
import { checkUrl } from './url.ts';

const MAX_LENGTH = 4096;

/** A URL that is held to the rules of a destination's. */
export const httpUrl = z.string().check(({ value, issues }) => {
  const refusal = checkUrl(value);
  if (refusal !== undefined) issues.push({ code: 'custom', message: refusal, input: undefined });
});

const secretText = z
  .string()
  .regex(/^[!-~]+$/, 'must be visible ASCII characters without spaces')
  .max(MAX_LENGTH);
/** RFC 7617 allows no control characters, and ends the user name at the first colon. */
export const basicText = z
  .string()
  .min(1)
  .max(MAX_LENGTH)
  .regex(/^\P{Cc}+$/u, 'must hold no control character');

const bearer = z.strictObject({ type: z.literal('bearer'), token: secretText });

const basic = z.strictObject({
  type: z.literal('basic'),
  username: basicText.regex(/^[^:]+$/, 'must hold no colon'),
  password: basicText,
});

const oauth2 = z.strictObject({
  type: z.literal('oauth2'),
  tokenUrl: httpUrl.describe('Where to fetch access tokens; the same rules hold as for `url`.'),
  clientId: basicText,
  clientSecret: basicText,
  secretIn: z
    .enum(['header', 'body'])
    .exactOptional()
    .describe(
      'How the token is asked for: with HTTP basic authentication (`header`, the default), or with id and secret in ' +
        'the form (`body`), for services that want that or read the header in a way of their own.',
    ),
  scope: basicText.exactOptional().describe('The scope to ask for; separate several with spaces.'),
  audience: basicText.exactOptional().describe('Who the token is for, if the server wants to know.'),
});

/** How a destination recognizes us, beside the signature. */
export const auth = z.discriminatedUnion('type', [bearer, basic, oauth2]);

export type Auth = z.output<typeof auth>;

/** The same as people write it, who may leave out a secret that the destination already has. */
export const declaredAuth = z.discriminatedUnion('type', [
  bearer.partial({ token: true }),
  basic.partial({ password: true }),
  oauth2.partial({ clientSecret: true }),
]);

/** The secret member of each. */
export const SECRET_OF = { bearer: 'token', basic: 'password', oauth2: 'clientSecret' } as const;
