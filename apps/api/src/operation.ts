import type { Adapter } from '@clickrelay/core';
import type { DestinationSettings } from '@clickrelay/destination-settings';
import type { HealthWatch } from '@clickrelay/health';
import type { ApiMetrics } from '@clickrelay/metrics';
import type { DurabilityReport, Leases, Scope, Session, Store } from '@clickrelay/queue';
import type { WebhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import type { Caller, FindCaller } from './authenticate.ts';
import type { KnownCredentials } from './known-credentials.ts';
import type { Alerts } from './open-alerts.ts';

/*
 * An operation is declared once, as data: `carry-out.ts` checks requests by its schemas, and `/v1/openapi.json` shows
 * them.
 */

export interface Resources {
  readonly store: Store;
  readonly leases: Leases;
  readonly metrics: ApiMetrics;
  /** How long it is remembered that work was done. */
  readonly onceMs: number;
  durability(): DurabilityReport;
  readonly health: Pick<HealthWatch, 'current' | 'acknowledge' | 'withdraw'>;
  readonly destinationSettings: DestinationSettings;
  /** Sends tests to webhook destinations. */
  readonly webhook: Adapter<WebhookConfig>;
  readonly version: string;
  /** How Clickatell reaches the receiver from outside. */
  readonly publicUrl: string | undefined;
  readonly credentials: KnownCredentials;
  readonly alerts: Pick<Alerts, 'test' | 'warningsOf' | 'refresh'>;
}

/** The caller, and whether it is still connected. */
export interface Exchange {
  readonly caller: Caller;
  /** The scope that grants the operation to the caller. */
  readonly scope: Scope | undefined;
  /** Aborted when the caller disconnects before the answer was sent, or the deadline is over. */
  readonly signal: AbortSignal;
  readonly browser: Browser;
  readonly findCaller: FindCaller;
  /** Registers what to undo when the answer cannot be sent. */
  onUnsent(undo: () => Promise<void>): void;
  /**
   * Records that the caller did this, or is about to be shown this.
   * @param detail must hold no secret, phone number or text of a message
   */
  audit(action: string, target: string, detail?: Readonly<Record<string, unknown>>): Promise<void>;
}

/** What only a browser has: a session cookie, and headers about the page that sends the request. */
export interface Browser {
  readonly session: Session | undefined;
  readonly sessionId: string | undefined;
  /** The last event it saw before it lost a stream. */
  readonly lastEventId: string | undefined;
  /** @param sessionId undefined signs the browser out */
  setSession(sessionId: string | undefined): void;
  /** @throws {RequestRefusedError} 403 `foreign_origin` */
  assertSameOrigin(): void;
  /** @throws {RequestRefusedError} 429 `too_many_requests` */
  countSignIn(): void;
}

/** An answer that is JSON already, so that numbers cut from a callback keep every digit. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An answer that goes on until its reader disconnects. */
export class ServerSentEvents {
  readonly lines: AsyncIterable<string>;

  constructor(lines: AsyncIterable<string>) {
    this.lines = lines;
  }
}

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** With `{name}` for parameters, as in OpenAPI. */
  readonly path: string;
  /** A few words, as docs/api.md lists them. */
  readonly summary: string;
  /** What the summary leaves out. */
  readonly description?: string;
  /** Any one suffices, and the first that the caller has counts. Empty: any key will do. */
  readonly scopes: readonly Scope[];
  /** Needs no key. */
  readonly isPublic?: boolean;
  /** Works while Redis is away. */
  readonly isLocal?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** In ms. @default 5000 */
  readonly deadlineMs?: number;
  /** The status of a success. @default 200 */
  readonly status?: 200 | 201 | 202 | 204;
  /** Set when the answer is not JSON. */
  readonly responseType?: 'text/event-stream';
  /** Left out when the answer has no body. */
  readonly response?: z.ZodType;
  /**
   * Hides personal data, for callers who may not see it or did not ask to. An operation with a mask takes
   * `?reveal=true`.
   */
  mask?(answer: never): unknown;
  /** Error codes that callers can act on, by status. */
  readonly errors?: Readonly<Record<number, string>>;
  run(request: never, resources: Resources, exchange: Exchange): Promise<unknown>;
}

interface Declared<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Response extends z.ZodType,
> extends Omit<Operation, 'params' | 'query' | 'body' | 'response' | 'run' | 'mask'> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly response?: Response;
  mask?(answer: AnswerOf<Response>): AnswerOf<Response>;
  run(
    request: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> },
    resources: Resources,
    exchange: Exchange,
  ): Promise<AnswerOf<Response> | JsonText | ServerSentEvents>;
}

/** An answer that fits the schema. It is serialized at once, so it may be read-only all the way down. */
export type AnswerOf<Schema extends z.ZodType> = DeepReadonly<z.input<Schema>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Types `run` by the schemas beside it. */
export const operation = <
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Response extends z.ZodType,
>(
  declared: Declared<Params, Query, Body, Response>,
): Operation => declared as unknown as Operation;

/** The query of every operation with personal data in its answer. */
export const revealQuery = z.object({
  reveal: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. ' +
        'Default: hidden, except for `API_KEY`',
    ),
});

/** The query of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('How many items at most'),
  cursor: z.string().max(200).optional().describe('`next` of the previous page'),
});

const time = z.iso.datetime({ offset: true });

/** The query of every list that has times. `until` is the first moment that is left out. */
export const spanQuery = (what: string) => ({
  since: time.optional().describe(`${what} at or after this time`),
  until: time.optional().describe(`${what} before this time`),
});

/** A span as the queue takes it. */
export const datesOf = ({ since, until }: { since?: string | undefined; until?: string | undefined }) => ({
  since: since === undefined ? undefined : new Date(since),
  until: until === undefined ? undefined : new Date(until),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('`cursor` of the next page; null at the end'),
  });
