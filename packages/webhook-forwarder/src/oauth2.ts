import { DeliveryError } from '@clickrelay/core';
import type { Auth } from './auth.ts';
import type { Surroundings } from './egress.ts';
import { guardConnections } from './guard-connections.ts';
import { Connections } from './http/connections.ts';
import type { ProxySettings } from './http/tunnel.ts';
import { type PostAnswer, post } from './post.ts';
import { parseRetryAfter } from './retry-after.ts';

/** A token is renewed this long before it expires, in ms, or after nine tenths of its life if that is later. */
const EARLY_MS = 30_000;
/** How long a token is used whose lifetime the server does not tell, in ms. */
const UNTOLD_LIFE_MS = 3_600_000;
/** Tokens that are of no use without a proof of possession. */
const NEEDS_PROOF = /^(?:mac|dpop|pop)$/i;
/** The characters that a header can hold, and the length that most servers accept. */
const TOKEN = /^[!-~]{1,8192}$/;
/** RFC 6749, section 5.2. Any other text of a server may quote what we sent. */
const ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
];

/** Access tokens of one destination, by client credentials (RFC 6749, section 4.4). */
export interface Tokens {
  /** A token that is valid for a while; undefined when a new one is needed. */
  present(): string | undefined;
  /**
   * Fetches a new token. Calls made while a fetch is running share its token.
   * @throws {DeliveryError} `token_unavailable`
   */
  fetch(): Promise<string>;
  /** Drops a token that the destination refused, whatever its lifetime. */
  forget(token: string): void;
  close(): Promise<void>;
}

interface TokensOptions extends Surroundings {
  readonly timeoutMs: number;
  readonly proxy?: ProxySettings | undefined;
}

export const openTokens = (
  { tokenUrl, clientId, clientSecret, secretIn, scope, audience }: Extract<Auth, { type: 'oauth2' }>,
  { opened, resolve, userAgent, connectionAgeMs, timeoutMs, proxy }: TokensOptions,
): Tokens => {
  const url = new URL(tokenUrl);
  const { host } = url;
  const connections = new Connections({
    ...guardConnections({ url, opened, resolve, timeoutMs, proxy }),
    // Only one token is fetched at a time.
    most: 1,
    maxAgeMs: connectionAgeMs,
  });
  const closing = new AbortController();
  let current: { readonly token: string; readonly goodUntil: number } | undefined;
  let fetching: Promise<string> | undefined;

  /**
   * The library builds the request; the connection, its deadline and the size limit are ours. So is the reading: many
   * services leave out or mistype what the library insists on.
   */
  const request = async (): Promise<string> => {
    const oauth = await import('oauth4webapi');
    const server = { issuer: url.origin, token_endpoint: tokenUrl };
    const client = { client_id: clientId };
    const parameters = { ...(scope !== undefined && { scope }), ...(audience !== undefined && { audience }) };
    const asked = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      secretIn === 'body' ? oauth.ClientSecretPost(clientSecret) : oauth.ClientSecretBasic(clientSecret),
      parameters,
      {
        // The guard decides where http may be used.
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: async (_, { headers, body }) => {
          const answer = await post(connections, {
            host,
            path: url.pathname + url.search,
            headers: { ...headers, 'user-agent': userAgent },
            body: body.toString(),
            timeoutMs,
            signal: closing.signal,
          });
          if (answer.status < 200 || answer.status > 299) throw refusal(host, answer);
          return new Response(answer.response);
        },
      },
    );
    const { token, lifeMs } = readToken(await asked.text());
    current = { token, goodUntil: performance.now() + lifeMs - Math.min(EARLY_MS, lifeMs / 10) };
    return token;
  };

  return {
    present: () => (current !== undefined && performance.now() < current.goodUntil ? current.token : undefined),
    fetch: () => {
      fetching ??= request()
        .catch((error: unknown) => {
          throw unavailable(host, error);
        })
        .finally(() => {
          fetching = undefined;
        });
      return fetching;
    },
    forget: (token) => {
      if (current?.token === token) current = undefined;
    },
    close: async () => {
      closing.abort();
      await fetching?.catch(() => {});
      connections.close();
    },
  };
};

/** @throws when there is no token that can be used as it is */
const readToken = (answer: string): { token: string; lifeMs: number } => {
  const { access_token: token, token_type: type, expires_in: life } = JSON.parse(answer) as Record<string, unknown>;
  // Whatever else the type says, or if it says nothing: services that check a token take it as a bearer's.
  const needsProof = typeof type === 'string' && NEEDS_PROOF.test(type);
  if (typeof token !== 'string' || !TOKEN.test(token) || needsProof) throw new TypeError('not a bearer token');
  const seconds = typeof life === 'string' && life !== '' ? Number(life) : life;
  const isTold = typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
  return { token, lifeMs: isTold ? seconds * 1000 : UNTOLD_LIFE_MS };
};

/** Retryable, like a refusal by the destination itself: a client may be unknown today and known tomorrow. */
const refusal = (host: string, { status, retryAfter, response }: PostAnswer): DeliveryError => {
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
  const message = `no access token: ${host} answered ${status}${errorIn(response)}`;
  return new DeliveryError('token_unavailable', message, {
    retryable: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
};

const errorIn = (response: string): string => {
  try {
    const { error } = JSON.parse(response) as { error?: unknown };
    return typeof error === 'string' && ERRORS.includes(error) ? ` (${error})` : '';
  } catch {
    return '';
  }
};

const unavailable = (host: string, error: unknown): DeliveryError => {
  if (!(error instanceof DeliveryError)) {
    // The library's message may quote the answer, which holds the token.
    const message = `no access token: the answer of ${host} holds no bearer token that can be used`;
    return new DeliveryError('token_unavailable', message, { retryable: true });
  }
  if (error.code === 'token_unavailable' || error.code === 'delivery_aborted') return error;
  return new DeliveryError('token_unavailable', `no access token: ${error.message}`, { retryable: true });
};
