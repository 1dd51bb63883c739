import { ApiError, ApiUnreachableError, type Issue } from './errors.ts';
import type { Operations } from './operations.ts';

/** Method and path, as in docs/api.md: `GET /v1/events/{id}`. */
export type OperationName = keyof Operations;

/** The `path`, `query` and `body` that an operation takes. */
export type RequestOf<Name extends OperationName> = Omit<Operations[Name], 'answer'> & {
  /** Aborts the request. */
  readonly signal?: AbortSignal | undefined;
};

type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

/** The operations that answer with a page of a list. */
export type ListOperation = {
  [Name in OperationName]: AnswerOf<Name> extends { items: unknown[]; next: string | null } ? Name : never;
}[OperationName];

/** One item of a list. */
export type ItemOf<Name extends ListOperation> =
  AnswerOf<Name> extends { items: (infer Item)[]; next: string | null } ? Item : never;

/** The request may be left out when none of its parts is required. */
type Requested<Name extends OperationName> =
  Record<never, never> extends RequestOf<Name> ? [request?: RequestOf<Name>] : [request: RequestOf<Name>];

export interface ClientOptions {
  /** Where the API listens: `http://127.0.0.1:8081`. */
  readonly url: string;
  /** `API_KEY`, or a key made by `clickrelay keys create`. */
  readonly key?: string | undefined;
  /** For one request, in ms. @default 40000, longer than any operation takes */
  readonly timeoutMs?: number;
  /** @default the global one */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Client {
  /**
   * Calls one operation.
   * @throws {ApiError} when the API refuses
   * @throws {ApiUnreachableError} when the API does not answer
   */
  call<Name extends OperationName>(operation: Name, ...request: Requested<Name>): Promise<AnswerOf<Name>>;
  /** Yields every item of a list, page after page. Throws as `call` does. */
  items<Name extends ListOperation>(operation: Name, ...request: Requested<Name>): AsyncGenerator<ItemOf<Name>>;
}

interface AnyRequest {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** Creates a client of one API. It holds no connection: there is nothing to close. */
export const createClient = (options: ClientOptions): Client => {
  const { key, timeoutMs = 40_000, fetch = globalThis.fetch } = options;
  const url = options.url.replace(/\/+$/, '');

  const call = async (operation: string, request: AnyRequest = {}): Promise<unknown> => {
    const [method = '', template = ''] = operation.split(' ');
    const { path = {}, query = {}, body, signal } = request;
    const timeout = AbortSignal.timeout(timeoutMs);
    const init: RequestInit = {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + fill(template, path) + queryText(query), init);
      text = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw cause;
      const { message } = ((cause as Error).cause as Error | undefined) ?? (cause as Error);
      throw new ApiUnreachableError(`the API at ${url} gives no answer: ${message}`, { cause });
    }
    if (!response.ok) throw refusal(response, text, url);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new ApiUnreachableError(`what answers at ${url} is not Clickrelay's API`, { cause });
    }
  };

  async function* items(operation: string, request: AnyRequest = {}): AsyncGenerator<unknown> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const query = { ...request.query, ...(cursor !== undefined && { cursor }) };
      const page = (await call(operation, { ...request, query })) as { items: unknown[]; next: string | null };
      yield* page.items;
      cursor = page.next;
    }
  }

  // The OpenAPI document types requests and answers.
  return { call, items } as unknown as Client;
};

const fill = (template: string, path: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));

const queryText = (query: Readonly<Record<string, unknown>>): string => {
  const set = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return set.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(set))}`;
};

const refusal = ({ status, headers }: Response, text: string, url: string): ApiError => {
  let error: { code?: string; message?: string; issues?: Issue[] } = {};
  try {
    error = (JSON.parse(text) as { error?: typeof error }).error ?? {};
  } catch {
    // Not an answer of the API: a proxy's, perhaps.
  }
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  return new ApiError(error.message ?? `the API at ${url} answered ${status}`, {
    status,
    code: error.code ?? 'api_error',
    issues: error.issues ?? [],
    retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined,
  });
};
