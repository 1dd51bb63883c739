import { Readable } from 'node:stream';
import type {
  IBinaryData,
  ICredentialDataDecryptedObject,
  IDataObject,
  IExecuteFunctions,
  IHookFunctions,
  IHttpRequestOptions,
  INode,
  INodeExecutionData,
  IRun,
  ITriggerFunctions,
  IWebhookFunctions,
  JsonObject,
  WorkflowActivateMode,
  WorkflowExecuteMode,
} from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import { ClickatellApi } from '../credentials/ClickatellApi.credentials.ts';
import { ClickrelayApi } from '../credentials/ClickrelayApi.credentials.ts';
import { type RanBefore, toldOf } from './run-before.mts';

/*
 * n8n's functions as nodes get them, after n8n-core 2.41: requests really go out over HTTP, through the credential's
 * own `authenticate`; statuses are errors unless asked otherwise; errors are NodeApiErrors; a trigger's `emit` hands
 * the run's end to `donePromise`.
 */

type Credentials = Record<string, ICredentialDataDecryptedObject>;

const CREDENTIAL_TYPES = { clickatellApi: new ClickatellApi(), clickrelayApi: new ClickrelayApi() };

export interface FakeOptions {
  readonly parameters?: IDataObject;
  readonly credentials?: Credentials;
  readonly node?: Partial<INode>;
  readonly workflow?: { readonly id: string; readonly name: string };
  /** What the node remembers from one activation to the next. */
  readonly staticData?: IDataObject;
}

const nodeOf = ({ node }: FakeOptions): INode => ({
  id: 'b0fe5b4e-1111-4222-8333-444455556666',
  name: 'Node under test',
  type: 'n8n-nodes-clickatell.test',
  typeVersion: 1,
  position: [0, 0],
  parameters: {},
  ...node,
});

/** A parameter by its path, with the fallback of n8n for what the user did not set. */
const parameterOf = (parameters: IDataObject, path: string, fallback: unknown, node: INode): unknown => {
  let value: unknown = parameters;
  for (const key of path.split('.')) value = (value as IDataObject | undefined)?.[key];
  if (value !== undefined) return value;
  if (fallback !== undefined) return fallback;
  throw new NodeOperationError(node, `Could not get parameter "${path}"`);
};

/** Joins URLs as axios does. */
const join = (base: string | undefined, url: string): string =>
  base === undefined || /^[a-z][a-z0-9+.-]*:/i.test(url)
    ? url
    : `${base.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;

const request = async (options: IHttpRequestOptions): Promise<unknown> => {
  const url = new URL(join(options.baseURL, options.url));
  for (const [name, value] of Object.entries(options.qs ?? {})) url.searchParams.set(name, String(value));
  const headers = new Headers(options.headers as Record<string, string>);
  const { body } = options;
  const isText = body instanceof Uint8Array || typeof body === 'string';
  if (body !== undefined && !isText && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const signals = [
    options.abortSignal as AbortSignal | undefined,
    options.timeout ? AbortSignal.timeout(options.timeout) : undefined,
  ];
  const response = await fetch(url, {
    method: options.method ?? 'GET',
    headers,
    ...(body !== undefined && { body: isText ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    redirect: options.disableFollowRedirect ? 'manual' : 'follow',
    signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
  });
  if (!response.ok && options.ignoreHttpStatusErrors !== true) {
    throw Object.assign(new Error(`Request failed with status code ${response.status}`), { status: response.status });
  }
  const given = await readBody(response, options.encoding);
  if (options.returnFullResponse !== true) return given;
  return { body: given, headers: Object.fromEntries(response.headers), statusCode: response.status };
};

const readBody = async (response: Response, encoding: IHttpRequestOptions['encoding']): Promise<unknown> => {
  if (encoding === 'stream') return Readable.fromWeb((response.body ?? new Blob([]).stream()) as never);
  if (encoding === 'arraybuffer') return Buffer.from(await response.arrayBuffer());
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const helpersOf = (node: INode, credentials: Credentials) => ({
  async httpRequestWithAuthentication(type: keyof typeof CREDENTIAL_TYPES, options: IHttpRequestOptions) {
    try {
      const given = credentials[type];
      if (given === undefined)
        throw new NodeOperationError(node, `Node does not have any credentials of type "${type}" set`);
      const { authenticate } = CREDENTIAL_TYPES[type];
      if (typeof authenticate !== 'function') throw new Error('the fake knows functions only');
      return await request(await authenticate(given, { ...options }));
    } catch (error) {
      throw new NodeApiError(node, error as JsonObject);
    }
  },
  createDeferredPromise() {
    return Promise.withResolvers();
  },
  async prepareBinaryData(bytes: Buffer, fileName?: string, mimeType?: string): Promise<IBinaryData> {
    const data = bytes.toString('base64');
    return { data, mimeType: mimeType ?? 'text/plain', ...(fileName !== undefined && { fileName }) };
  },
});

const baseOf = (options: FakeOptions) => {
  const node = nodeOf(options);
  const credentials = options.credentials ?? {};
  const logged: Array<{ level: string; message: string }> = [];
  const log = (level: string) => (message: string) => logged.push({ level, message });
  return {
    node,
    logged,
    functions: {
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      getNode: () => node,
      getWorkflow: () => ({ id: 'WfAbC123', name: 'Workflow under test', active: true, ...options.workflow }),
      getInstanceId: () => 'a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718',
      getWorkflowStaticData: () => options.staticData ?? {},
      async getCredentials(type: string) {
        const given = credentials[type];
        if (given === undefined)
          throw new NodeOperationError(node, `Node does not have any credentials of type "${type}" set`);
        return given;
      },
      helpers: helpersOf(node, credentials),
    },
  };
};

/** How a run of the workflow ends: the four ends that n8n has. */
export type RunEnd = Partial<IRun> | undefined | Error | 'never';

export interface FakeRun {
  readonly item: INodeExecutionData;
  readonly deduplicationKey: string | undefined;
  /** Ends it; a run that is not ended goes on. */
  readonly end: (end: RunEnd) => void;
}

export interface FakeTrigger {
  readonly functions: ITriggerFunctions;
  readonly runs: FakeRun[];
  readonly failedExecutions: Error[];
  readonly emittedErrors: Error[];
  readonly logged: ReadonlyArray<{ level: string; message: string }>;
}

export const succeeded = (): RunEnd => ({ status: 'success', data: { resultData: { runData: {} } } as IRun['data'] });
export const failed = (message: string): RunEnd => ({
  status: 'error',
  data: { resultData: { runData: {}, error: { message }, lastNodeExecuted: 'Some Node' } } as unknown as IRun['data'],
});

/** A run that n8n cancelled, with the error that it keeps of that. */
export const stopped = (reason: 'manual' | 'timeout' | 'shutdown'): RunEnd => {
  const error = { message: 'The execution was cancelled', reason };
  const data = { resultData: { runData: {}, error, lastNodeExecuted: 'Some Node' } } as unknown as IRun['data'];
  return { status: 'canceled', data };
};

/** @param onRun called when a run begins; what it returns ends it, unless that is undefined */
export const fakeTrigger = (
  options: FakeOptions & {
    readonly mode?: 'trigger' | 'manual';
    readonly activation?: WorkflowActivateMode;
    /** An n8n before 2.10, which knows no `saveFailedExecution`. */
    readonly isOld?: boolean;
  },
  onRun: (run: FakeRun) => void = () => undefined,
): FakeTrigger => {
  const { node, logged, functions } = baseOf(options);
  const runs: FakeRun[] = [];
  const failedExecutions: Error[] = [];
  const emittedErrors: Error[] = [];
  const trigger = {
    ...functions,
    getMode: () => options.mode ?? 'trigger',
    getActivationMode: () => (options.mode === 'manual' ? 'manual' : (options.activation ?? 'activate')),
    getNodeParameter: (path: string, fallback?: unknown) => parameterOf(options.parameters ?? {}, path, fallback, node),
    emit(
      [[item]]: [[INodeExecutionData]],
      _response: unknown,
      done?: PromiseWithResolvers<unknown>,
      deduplicationKey?: string,
    ) {
      const run: FakeRun = {
        item,
        deduplicationKey,
        end(end) {
          if (end === 'never') return;
          if (end instanceof Error) done?.reject(end);
          else done?.resolve(end);
        },
      };
      runs.push(run);
      onRun(run);
    },
    ...(options.isOld !== true && { saveFailedExecution: (error: Error) => failedExecutions.push(error) }),
    emitError: (error: Error) => emittedErrors.push(error),
  };
  return { functions: trigger as unknown as ITriggerFunctions, runs, failedExecutions, emittedErrors, logged };
};

export const fakeExecute = (
  options: FakeOptions & {
    readonly items?: INodeExecutionData[];
    readonly continueOnFail?: boolean;
    /** Parameters of each item; `parameters` are those of all. */
    readonly perItem?: (item: INodeExecutionData) => IDataObject;
    readonly signal?: AbortSignal;
    readonly mode?: WorkflowExecuteMode;
    /** The nodes before, in a row; the items of the last one are this one's unless `items` says otherwise. */
    readonly before?: readonly RanBefore[];
    readonly runIndex?: number;
  },
): IExecuteFunctions => {
  const { node, functions } = baseOf(options);
  const { before = [], mode = 'trigger', runIndex = 0 } = options;
  const items: INodeExecutionData[] = options.items ?? before.at(-1)?.items ?? [{ json: {} }];
  return {
    ...functions,
    ...toldOf(node, { before, items, mode, runIndex }),
    getMode: () => mode,
    getInputData: () => items,
    continueOnFail: () => options.continueOnFail === true,
    getExecutionCancelSignal: () => options.signal,
    getNodeParameter(path: string, index: number, fallback?: unknown) {
      const item = items[index] as INodeExecutionData;
      return parameterOf({ ...options.parameters, ...options.perItem?.(item) }, path, fallback, node);
    },
    helpers: {
      ...functions.helpers,
      assertBinaryData(index: number, field: string) {
        const binary = items[index]?.binary?.[field];
        if (binary === undefined)
          throw new NodeOperationError(node, `The item has no binary field '${field}'`, { itemIndex: index });
        return binary;
      },
      async getBinaryDataBuffer(index: number, field: string) {
        return Buffer.from(items[index]?.binary?.[field]?.data ?? '', 'base64');
      },
    },
  } as unknown as IExecuteFunctions;
};

/**
 * What n8n makes of items where a node goes on after an error: `WorkflowExecute` keeps nothing of an item with `error`
 * but its message, and sends to the error output what has only an error, joined with the input.
 */
export const outputsOf = (given: readonly INodeExecutionData[], inputs: readonly INodeExecutionData[]) => {
  const success: INodeExecutionData[] = [];
  const error: INodeExecutionData[] = [];
  for (const item of given) {
    const json = item.error === undefined ? item.json : { error: item.error.message };
    const keys = Object.keys(json).sort().join();
    if (item.error === undefined && !(json['error'] && (keys === 'error' || keys === 'error,message'))) {
      success.push(item);
      continue;
    }
    const input = inputs[(item.pairedItem as { item: number }).item];
    error.push({ ...item, json: { ...input?.json, ...json } });
  }
  return { success, error };
};

export const fakeHook = (options: FakeOptions): IHookFunctions =>
  baseOf(options).functions as unknown as IHookFunctions;

export interface FakeWebhook {
  readonly functions: IWebhookFunctions;
  /** The node's own answer. */
  readonly answer: { status?: number; body?: unknown };
}

export const fakeWebhook = (
  options: FakeOptions & {
    readonly name?: 'default' | 'setup';
    readonly mode?: 'webhook' | 'manual';
    readonly query?: IDataObject;
    readonly headers?: Record<string, string>;
    /** The raw body as text. */
    readonly body?: string;
    /** An n8n that has parsed the body and kept no bytes. */
    readonly parsedOnly?: boolean;
  },
): FakeWebhook => {
  const { node, functions } = baseOf(options);
  const answer: { status?: number; body?: unknown } = {};
  const response = {
    status(status: number) {
      answer.status = status;
      return response;
    },
    json(body: unknown) {
      answer.body = body;
      return response;
    },
  };
  const body = options.body ?? '';
  const httpRequest: { rawBody?: Buffer; readRawBody?: () => Promise<void> } = {};
  if (options.parsedOnly !== true) {
    httpRequest.readRawBody = async () => {
      httpRequest.rawBody = Buffer.from(body);
    };
  }
  const webhook = {
    ...functions,
    getMode: () => options.mode ?? 'webhook',
    getWebhookName: () => options.name ?? 'default',
    getQueryData: () => options.query ?? {},
    getHeaderData: () => options.headers ?? {},
    getBodyData: () => (body === '' ? {} : JSON.parse(body)),
    getRequestObject: () => httpRequest,
    getResponseObject: () => response,
    getNodeParameter: (path: string, fallback?: unknown) => parameterOf(options.parameters ?? {}, path, fallback, node),
  };
  return { functions: webhook as unknown as IWebhookFunctions, answer };
};
