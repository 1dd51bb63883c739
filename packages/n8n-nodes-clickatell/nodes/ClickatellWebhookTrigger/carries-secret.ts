import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request carries the secret, as `?token=` or as the password of HTTP basic authentication. Compared in constant
 * time, whatever the lengths; without a secret nothing gets in.
 */
export const carriesSecret = (query: object, headers: { readonly authorization?: string }, secret: string): boolean => {
  if (secret === '') return false;
  const { token } = query as { token?: unknown };
  const tokens = (Array.isArray(token) ? token : [token]).filter((given) => typeof given === 'string');
  const password = passwordOf(headers.authorization);
  // No early end: which one matches must not show in the time it takes.
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
