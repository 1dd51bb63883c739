import { type Adapter, type Deliverer, DeliveryError, formatEvent, type LoggedEvent } from '@clickrelay/core';
import { Pool } from 'undici';
import type { WebhookConfig } from './config.ts';
import { guardConnections, parseRanges, type Resolve, resolveName } from './egress.ts';
import { type Answer, aborted, type Post, post } from './post.ts';
import { parseRetryAfter } from './retry-after.ts';
import { createSigner } from './sign.ts';

export interface WebhookAdapterOptions {
  /** CIDR ranges that may be called although they are not public, and over http too. EGRESS_ALLOW. */
  readonly egressAllow: readonly string[];
  /** `Clickrelay/<version>` */
  readonly userAgent: string;
  /** @default the operating system's resolver */
  readonly resolve?: Resolve;
}

/**
 * Delivers events by signed HTTP POST (Standard Webhooks).
 * @throws {RangeError} when `egressAllow` holds anything but CIDR ranges.
 */
export function webhookAdapter(options: WebhookAdapterOptions): Adapter<WebhookConfig> {
  const opened = parseRanges(options.egressAllow);
  const resolve = options.resolve ?? resolveName;
  return {
    type: 'webhook',
    open: (config) => openDestination(config, { opened, resolve, userAgent: options.userAgent }),
  };
}

interface Surroundings {
  readonly opened: ReturnType<typeof parseRanges>;
  readonly resolve: Resolve;
  readonly userAgent: string;
}

function openDestination(config: WebhookConfig, { opened, resolve, userAgent }: Surroundings): Deliverer {
  const url = new URL(config.url);
  const { host } = url;
  const path = url.pathname + url.search;
  const { format, timeoutMs } = config;
  const sign = createSigner(config.secret);
  const guard = guardConnections({ url, opened, resolve, timeoutMs });
  const pool = new Pool(url.origin, {
    connect: guard.connect,
    connections: config.concurrency,
    allowH2: false, // or https pools would open one connection at a time to find out
    // `post` has one deadline for the whole; these two would only end what is idle.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const running = new Set<Promise<Answer>>();
  let isClosed = false;

  function write({ event, source }: LoggedEvent, isTest: boolean): Pick<Post, 'headers' | 'body'> {
    try {
      const { body, headers } = formatEvent({ event, source }, format);
      const mark = isTest ? { 'clickrelay-test': 'true' } : {};
      return { body, headers: { ...headers, ...mark, 'user-agent': userAgent, ...sign(event.id, new Date(), body) } };
    } catch (error) {
      const message = `${host} was not called: the event cannot be written as ${format}`;
      const cause = error instanceof Error ? error.name : undefined;
      throw new DeliveryError('delivery_not_built', message, { retryable: false, cause });
    }
  }

  return {
    async deliver({ event, signal, isTest = false }) {
      if (isClosed || signal.aborted) throw aborted(host);
      const answering = post(pool, { host, path, ...write(event, isTest), timeoutMs, signal });
      running.add(answering);
      try {
        const { status, retryAfter, response } = await answering;
        if (status < 200 || status > 299) throw rejection(host, { status, retryAfter, response });
        return { status, response };
      } finally {
        running.delete(answering);
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(running);
      guard.close();
      await pool.destroy();
    },
  };
}

/** A destination may be wrong today and mended tomorrow: every refusal is tried again until the schedule is used up. */
function rejection(host: string, { status, retryAfter, response }: Answer): DeliveryError {
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
  return new DeliveryError('destination_rejected', `${host} answered ${status}${hint(status)}`, {
    retryable: true,
    parks: status === 410,
    status,
    response,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function hint(status: number): string {
  if (status === 410) return '; it asks for no more deliveries';
  if (status >= 300 && status < 400) return '; redirects are not followed, set `url` to where it leads';
  return '';
}
