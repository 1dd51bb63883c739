import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request carries the secret, as `?token=` or as the password of HTTP basic authentication. Compares in
 * constant time, whatever the lengths. Without a configured secret every request is refused.
 */
export const carriesSecret = (query: object, headers: { readonly authorization?: string }, secret: string): boolean => {
  if (secret === '') return false;
  const { token } = query as { token?: unknown };
  const tokens = (Array.isArray(token) ? token : [token]).filter((given) => typeof given === 'string');
  const password = passwordOf(headers.authorization);
  // No early return: the time must not reveal which one matches.
  let matches = false;
  for (const given of [...tokens, password]) {
    if (given !== undefined && isSame(given, secret)) matches = true;
  }
  return matches;
};

const passwordOf = (authorization: string | undefined): string | undefined => {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
};

const isSame = (given: string, secret: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(secret).digest());
