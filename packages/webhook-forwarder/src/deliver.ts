import {
  type Adapter,
  type Deliverer,
  type DeliveryAttempt,
  DeliveryError,
  formatEvent,
  type LoggedEvent,
  type OpenedFor,
} from '@clickrelay/core';
import { openAuthorizer } from './authorize.ts';
import type { WebhookConfig } from './config.ts';
import { parseRanges, type Resolve, resolveName, type Surroundings } from './egress.ts';
import { guardConnections } from './guard-connections.ts';
import { Connections } from './http/connections.ts';
import { aborted } from './no-answer.ts';
import { type Post, type PostAnswer, post } from './post.ts';
import { parseRetryAfter } from './retry-after.ts';
import { createSigner, encodeLarge, WRITTEN_AT_ONCE_LENGTH } from './sign.ts';
import { meets } from './success.ts';
import { openTransformer, TransformError } from './transform.ts';

const CONNECTION_AGE_MS = 60_000;

export interface WebhookAdapterOptions {
  /** CIDR ranges that may be called although they are not public, and over http too (EGRESS_ALLOW). */
  readonly egressAllow: readonly string[];
  /** `Clickrelay/<version>` */
  readonly userAgent: string;
  /** @default the operating system's resolver */
  readonly resolve?: Resolve;
  /** How long a connection is used again, in ms, before a new one asks where the name leads. @default 60000 */
  readonly connectionAgeMs?: number;
}

/**
 * Delivers events by signed HTTP POST (Standard Webhooks).
 * @throws {RangeError} when `egressAllow` holds anything but CIDR ranges.
 */
export const webhookAdapter = (options: WebhookAdapterOptions): Adapter<WebhookConfig> => {
  const opened = parseRanges(options.egressAllow);
  const { userAgent, resolve = resolveName, connectionAgeMs = CONNECTION_AGE_MS } = options;
  return {
    type: 'webhook',
    open: (config, openedFor = {}) =>
      openDestination(config, { opened, resolve, userAgent, connectionAgeMs }, openedFor),
  };
};

interface Request {
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
}

const openDestination = (
  config: WebhookConfig,
  surroundings: Surroundings,
  { onCertificate }: OpenedFor,
): Deliverer => {
  const { opened, resolve, userAgent, connectionAgeMs } = surroundings;
  const url = new URL(config.url);
  const { host } = url;
  const path = url.pathname + url.search;
  const { format, timeoutMs, headers: own = {}, successWhen } = config;
  const sign = createSigner(config.secret);
  const connections = new Connections({
    ...guardConnections({ url, opened, resolve, timeoutMs, tls: config.tls, proxy: config.proxy, onCertificate }),
    most: config.concurrency,
    maxAgeMs: connectionAgeMs,
  });
  const transformer = config.transform === undefined ? undefined : openTransformer(config.transform);
  const authorizer =
    config.auth === undefined
      ? undefined
      : openAuthorizer(config.auth, { ...surroundings, host, timeoutMs, proxy: config.proxy });
  const running = new Set<Promise<PostAnswer>>();
  let isClosed = false;

  const notBuilt = (why: string, options: { retryable: boolean; cause?: unknown }): DeliveryError => {
    return new DeliveryError('delivery_not_built', `${host} was not called: ${why}`, options);
  };

  const transform = async (event: LoggedEvent, signal: AbortSignal): Promise<string | undefined> => {
    try {
      return await transformer?.transform(formatEvent(event, 'event').body, signal);
    } catch (error) {
      if (signal.aborted) throw aborted(host);
      throw error instanceof TransformError ? notBuilt(error.message, error) : error;
    }
  };

  const write = async (
    { event, source }: LoggedEvent,
    { isTest, traceparent, signal }: Omit<DeliveryAttempt, 'event'>,
  ): Promise<Request> => {
    try {
      const data = transformer === undefined ? undefined : await transform({ event, source }, signal);
      const { body, headers } = formatEvent({ event, source }, format, data);
      const mark = isTest ? { 'clickrelay-test': 'true' } : {};
      const unsigned = { ...own, ...headers, ...mark, ...(traceparent && { traceparent }), 'user-agent': userAgent };
      if (body.length > WRITTEN_AT_ONCE_LENGTH) return await writeLarge(event.id, body, unsigned);
      return { body, headers: { ...unsigned, ...sign(event.id, new Date(), body) } };
    } catch (error) {
      if (error instanceof DeliveryError) throw error;
      const cause = error instanceof Error ? error.name : undefined;
      throw notBuilt(`the event cannot be written as ${format}`, { retryable: false, cause });
    }
  };

  const writeLarge = async (eventId: string, text: string, headers: Post['headers']): Promise<Request> => {
    const body = await encodeLarge(text);
    return { body, headers: { ...headers, ...(await sign.large(eventId, new Date(), body)) } };
  };

  const send = async ({ event, ...attempt }: DeliveryAttempt): Promise<PostAnswer> => {
    const { signal } = attempt;
    // Fetch the token first: the signature's time is to be the time of sending.
    const since = performance.now();
    const authorization = await authorizer?.header(signal);
    const leftMs = Math.max(timeoutMs - (performance.now() - since), 1);
    const { body, headers } = await write(event, attempt);
    if (signal.aborted) throw aborted(host);
    if (authorization !== undefined) headers['authorization'] = authorization;
    const answer = await post(connections, {
      host,
      path,
      headers,
      body,
      timeoutMs: leftMs,
      needsBody: successWhen !== undefined,
      signal,
    });
    // Some services say 403 when a token has ended.
    const isRefused = answer.status === 401 || answer.status === 403;
    if (isRefused && authorization !== undefined) authorizer?.onRefused(authorization);
    return answer;
  };

  return {
    async deliver(attempt) {
      if (isClosed || attempt.signal.aborted) throw aborted(host);
      const answering = send(attempt);
      running.add(answering);
      try {
        const { status, retryAfter, response } = await answering;
        if (status < 200 || status > 299) throw rejection(host, { status, retryAfter, response });
        if (successWhen !== undefined && !meets(successWhen, response)) throw unmet(host, { status, response });
        return { status, response };
      } finally {
        running.delete(answering);
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(running);
      transformer?.close();
      await authorizer?.close();
      connections.close();
    },
  };
};

/**
 * Every refusal is tried again until the schedule is used up: a destination may be broken today and mended tomorrow.
 */
const rejection = (host: string, { status, retryAfter, response }: PostAnswer): DeliveryError => {
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
  return new DeliveryError('destination_rejected', `${host} answered ${status}${hint(status)}`, {
    retryable: true,
    parks: status === 410,
    status,
    response,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
};

const unmet = (host: string, { status, response }: Pick<PostAnswer, 'status' | 'response'>): DeliveryError =>
  new DeliveryError(
    'destination_rejected',
    `${host} answered ${status}, but not with the body that \`successWhen\` asks for`,
    { retryable: true, status, response },
  );

const hint = (status: number): string => {
  if (status === 410) return '; it asks for no more deliveries';
  if (status >= 300 && status < 400) return '; redirects are not followed, set `url` to where it leads';
  return '';
};
