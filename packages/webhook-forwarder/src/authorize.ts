import type { Auth } from './auth.ts';
import type { Surroundings } from './egress.ts';
import type { ProxySettings } from './http/tunnel.ts';
import { aborted } from './no-answer.ts';
import { openTokens } from './oauth2.ts';

/** Provides the `authorization` header of each attempt. */
export interface Authorizer {
  /** @throws {DeliveryError} `token_unavailable`, or `delivery_aborted` when the signal is aborted first */
  header(signal: AbortSignal): Promise<string>;
  /** The destination answered 401 or 403 to this header. */
  onRefused(header: string): void;
  close(): Promise<void>;
}

interface AuthorizerOptions extends Surroundings {
  /** Names the destination in errors. */
  readonly host: string;
  /** The time limit for fetching a token. */
  readonly timeoutMs: number;
  readonly proxy?: ProxySettings | undefined;
}

export const openAuthorizer = (auth: Auth, options: AuthorizerOptions): Authorizer => {
  if (auth.type === 'bearer') return always(`Bearer ${auth.token}`);
  if (auth.type === 'basic') {
    return always(`Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`);
  }
  const tokens = openTokens(auth, options);
  const { host } = options;
  return {
    header: async (signal) => {
      const token = tokens.present() ?? (await orAborted(tokens.fetch(), signal, host));
      return `Bearer ${token}`;
    },
    onRefused: (header) => tokens.forget(header.slice('Bearer '.length)),
    close: () => tokens.close(),
  };
};

const always = (header: string): Authorizer => ({
  header: async () => header,
  onRefused: () => {},
  close: async () => {},
});

/** Stops waiting on abort. The fetch itself goes on, because other attempts may wait for the same token. */
const orAborted = <Value>(work: Promise<Value>, signal: AbortSignal, host: string): Promise<Value> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(aborted(host));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
