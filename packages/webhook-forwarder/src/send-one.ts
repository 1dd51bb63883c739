import { DeliveryError } from '@clickrelay/core';
import { parseRanges, type Resolve, resolveName } from './egress.ts';
import { guardConnections } from './guard-connections.ts';
import { Connections } from './http/connections.ts';
import { post } from './post.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { LiveSecret } from './secret.ts';
import { createSigner } from './sign.ts';

export interface OneRequest {
  /** One that `checkUrl` takes. */
  readonly url: string;
  /** @default 'POST' */
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Adds the headers of Standard Webhooks. */
  readonly signed?: { readonly id: string; readonly secret: LiveSecret | readonly LiveSecret[]; readonly at: Date };
  /** CIDR ranges that may be called although they are not public, and over http too (EGRESS_ALLOW). */
  readonly egressAllow: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** @default the operating system's resolver */
  readonly resolve?: Resolve;
}

/** What came of it: an answer, whatever its status, or the code of the error. */
export type OneAnswer =
  | { readonly status: number; readonly response: string; readonly retryAfterMs: number | undefined }
  | { readonly status: null; readonly code: string };

/**
 * Sends one request that is no delivery of an event, such as an alert, by the guard and the signature of deliveries.
 * Follows no redirect. Names neither the host nor what was sent in what it returns.
 */
export const sendOne = async ({
  url: text,
  signed,
  egressAllow,
  resolve = resolveName,
  ...request
}: OneRequest): Promise<OneAnswer> => {
  const { method = 'POST', headers, body, timeoutMs, signal } = request;
  const url = new URL(text);
  const guarded = guardConnections({ url, opened: parseRanges(egressAllow), resolve, timeoutMs });
  const connections = new Connections({ ...guarded, most: 1, maxAgeMs: 0 });
  const signature = signed === undefined ? {} : createSigner(signed.secret)(signed.id, signed.at, body);
  try {
    const path = url.pathname + url.search;
    const all = { ...headers, ...signature };
    const sent = { method, host: url.host, path, headers: all, body, timeoutMs, signal };
    const { status, response, retryAfter } = await post(connections, sent);
    return { status, response, retryAfterMs: parseRetryAfter(retryAfter, Date.now()) };
  } catch (error) {
    if (error instanceof DeliveryError) return { status: null, code: error.code };
    throw error;
  } finally {
    connections.close();
  }
};
