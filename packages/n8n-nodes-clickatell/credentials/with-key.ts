import type { ICredentialDataDecryptedObject, IHttpRequestOptions } from 'n8n-workflow';

/**
 * Adds the key to a request if its URL is where the key belongs. A relative URL goes to the credential's base URL; a
 * URL that leads elsewhere, such as a link from a customer's message, gets no key.
 */
export const withKey = (
  request: IHttpRequestOptions,
  credentials: ICredentialDataDecryptedObject,
  authorization: (key: string) => string,
): IHttpRequestOptions => {
  const base = String(credentials['baseUrl'] ?? '').trim();
  const isRelative = !/^[a-z][a-z0-9+.-]*:/i.test(request.url);
  const located = isRelative && !request.baseURL ? { ...request, baseURL: base.replace(/\/+$/, '') } : request;
  if (originOf(isRelative ? located.baseURL : located.url) !== originOf(base)) return located;
  const key = String(credentials['apiKey'] ?? '').trim();
  return { ...located, headers: { ...located.headers, authorization: authorization(key) } };
};

/** Scheme, host and port; undefined when the text is not an absolute URL. */
const originOf = (url: string | undefined): string | undefined => {
  try {
    const { origin } = new URL(url ?? '');
    return origin === 'null' ? undefined : origin;
  } catch {
    return undefined;
  }
};
