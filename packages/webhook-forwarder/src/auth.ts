import { z } from 'zod';
import { checkUrl } from './url.ts';

const MAX_LENGTH = 4096;

const secretText = z
  .string()
  .regex(/^[!-~]+$/, 'must be visible ASCII characters without spaces')
  .max(MAX_LENGTH);
/** RFC 7617 knows no control characters; the user name ends at the first colon. */
const basicText = z
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
  tokenUrl: z
    .string()
    .check(({ value, issues }) => {
      const refusal = checkUrl(value);
      if (refusal !== undefined) issues.push({ code: 'custom', message: refusal, input: undefined });
    })
    .describe('Where access tokens are fetched; the rules of `url` hold for it.'),
  clientId: basicText,
  clientSecret: basicText,
  scope: basicText.exactOptional().describe('Asked for; several with spaces between them.'),
  audience: basicText.exactOptional().describe('Whom the token is for, where the server wants to know.'),
});

/** How a destination knows us, beside the signature. */
export const auth = z.discriminatedUnion('type', [bearer, basic, oauth2]);

export type Auth = z.output<typeof auth>;

/** The same as people write it: a secret that the destination has already may be left out. */
export const declaredAuth = z.discriminatedUnion('type', [
  bearer.partial({ token: true }),
  basic.partial({ password: true }),
  oauth2.partial({ clientSecret: true }),
]);

/** The one member of each that is a secret. */
export const SECRET_OF = { bearer: 'token', basic: 'password', oauth2: 'clientSecret' } as const;
