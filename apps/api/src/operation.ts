import type { Adapter } from '@clickrelay/core';
import type { DestinationSettings } from '@clickrelay/destination-settings';
import type { ApiMetrics } from '@clickrelay/metrics';
import type { DurabilityReport, Leases, Scope, Session, Store } from '@clickrelay/queue';
import type { WebhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import type { Caller, FindCaller } from './authenticate.ts';

/*
 * An operation is declared once, as data: the router checks requests by its schemas, and `/v1/openapi.json` shows them.
 */

export interface Resources {
  readonly store: Store;
  readonly leases: Leases;
  readonly metrics: ApiMetrics;
  durability(): DurabilityReport;
  readonly destinationSettings: DestinationSettings;
  /** To try destinations out. */
  readonly webhook: Adapter<WebhookConfig>;
  readonly version: string;
  /** How Clickatell reaches the receiver from outside. */
  readonly publicUrl: string | undefined;
  /** As the receiver has it; empty when that is not known here. */
  readonly callbackAuth: string;
}

/** The one who asks, and whether that one is still there. */
export interface Exchange {
  readonly caller: Caller;
  /** The scope that lets the caller do this. */
  readonly scope: Scope | undefined;
  /** Aborted when the caller goes away before the answer has. */
  readonly signal: AbortSignal;
  /** What there is when a browser asks. */
  readonly browser: Browser;
  readonly findCaller: FindCaller;
  /** Called back when the answer could not be sent. */
  onUnsent(undo: () => Promise<void>): void;
  /**
   * Writes down that the caller did this, or, before it is answered, that it is shown this.
   * @param detail Holds no secret, phone number or text of a message.
   */
  audit(action: string, target: string, detail?: Readonly<Record<string, unknown>>): Promise<void>;
}

/** The side of a browser: its cookie, and what it says about the page that asks. */
export interface Browser {
  readonly session: Session | undefined;
  readonly sessionId: string | undefined;
  /** Where it was when it lost a stream. */
  readonly lastEventId: string | undefined;
  /** @param sessionId undefined signs out */
  setSession(sessionId: string | undefined): void;
  /** @throws {RequestRefusedError} 403 `foreign_origin` */
  assertSameOrigin(): void;
  /** @throws {RequestRefusedError} 429 `too_many_requests` */
  countSignIn(): void;
}

/** An answer that is JSON already: what was cut from a callback keeps every digit. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An answer that goes on until its reader has gone. */
export class ServerSentEvents {
  readonly lines: AsyncIterable<string>;

  constructor(lines: AsyncIterable<string>) {
    this.lines = lines;
  }
}

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** With `{name}` for parameters, as OpenAPI writes it. */
  readonly path: string;
  readonly summary: string;
  /** Any of them suffices, the first that the caller has counts; with none, any key does. */
  readonly scopes: readonly Scope[];
  /** Needs no key. */
  readonly isPublic?: boolean;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** How long it may take, in ms. @default 5000 */
  readonly deadlineMs?: number;
  /** Of the answer that is no error. @default 200 */
  readonly status?: 200 | 201 | 202 | 204;
  /** Of an answer that is not JSON. */
  readonly responseType?: 'text/event-stream';
  /** Left out for answers without a body. */
  readonly response?: z.ZodType;
  /**
   * The answer without personal data, for those who may not see it or did not ask to. An operation that has this takes
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

/** What operations with personal data in their answer take. */
export const revealQuery = z.object({
  reveal: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY`',
    ),
});

/** What all lists take. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('How many items at most'),
  cursor: z.string().max(200).optional().describe('`next` of the page before'),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('`cursor` of the next page; null at the end'),
  });
