import {
  type IDataObject,
  type IExecuteFunctions,
  type IHttpRequestOptions,
  type IN8nHttpFullResponse,
  type JsonObject,
  NodeApiError,
} from 'n8n-workflow';
import { codeOf } from '../shared/explain-no-answer.ts';
import { pause } from '../shared/pause.ts';
import { type ApiFailure, explainFailure, isSafeToRetry, readFailure } from './errors.ts';

/** Clickatell's answer, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: IDataObject;
}

/** How to retry a request that the rate limit refused. Each pause is twice the last. */
export interface RetryPlan {
  readonly tries: number;
  readonly firstPauseMs: number;
  /** Ends the pauses when someone stops the execution. */
  readonly signal?: AbortSignal;
}

/** The work on one item. */
export interface Task extends RetryPlan {
  /** What the item is about, filled in as it becomes known: an error item carries it. */
  readonly about: IDataObject;
}

const TIMEOUT_MS = 30_000;
const LONGEST_PAUSE_MS = 30_000;

/** Sends a request to Clickatell. Any status is an answer; only a failed connection is an error. */
export const call = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  request: IHttpRequestOptions,
): Promise<ApiAnswer> => {
  let response: IN8nHttpFullResponse;
  try {
    response = await n8n.helpers.httpRequestWithAuthentication.call(n8n, 'clickatellApi', {
      json: true,
      timeout: TIMEOUT_MS,
      disableFollowRedirect: true,
      ignoreHttpStatusErrors: true,
      returnFullResponse: true,
      ...request,
    });
  } catch (error) {
    throw noAnswer(
      n8n,
      itemIndex,
      error,
      request.method === 'POST'
        ? 'Clickatell may or may not have carried out the request, and does not recognise repeats: a message that is sent again may arrive twice.'
        : 'Check the base URL of the credential, and whether n8n can reach it.',
    );
  }
  return { status: response.statusCode, body: readObject(response.body) };
};

/** Makes a new error: n8n keeps the message of an error that it wraps, and that message does not say what to do. */
export const noAnswer = (n8n: IExecuteFunctions, itemIndex: number, error: unknown, todo: string): NodeApiError => {
  const reason = codeOf(error);
  const description = `${todo} (${reason})`;
  const failure = new NodeApiError(n8n.getNode(), { description } as JsonObject, {
    itemIndex,
    message: 'Clickatell does not answer',
    description,
  });
  failure.context['maybeSent'] = !NEVER_REACHED.includes(reason);
  return failure;
};

/** Connections that were never made: nothing was sent over them. */
const NEVER_REACHED: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ERR_INVALID_URL'];

/** Repeats an attempt while it is refused as too much, with growing pauses. Returns the last result, refused or not. */
export const withRetries = async <T>(
  { tries, firstPauseMs, signal }: RetryPlan,
  attempt: () => Promise<T>,
  isTooMuch: (result: T) => boolean,
): Promise<T> => {
  let pauseMs = firstPauseMs;
  for (let left = tries; ; left--) {
    const result = await attempt();
    if (left <= 1 || signal?.aborted || !isTooMuch(result)) return result;
    await pause(pauseMs * (0.75 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
};

/** The failure of a whole request; null when it succeeded, even if only in part. */
export const failureOf = ({ status, body }: ApiAnswer): ApiFailure | null => {
  if (status >= 200 && status < 300) return null;
  const failure = readFailure(body['error']) ?? { code: null, description: `HTTP ${status}` };
  return status < 500 || isSafeToRetry(failure) ? failure : { ...failure, maybeSent: true };
};

export const throwFailure = (
  n8n: IExecuteFunctions,
  itemIndex: number,
  failure: ApiFailure,
  status?: number,
): never => {
  const given = { code: failure.code, description: failure.description } as unknown as JsonObject;
  const error = new NodeApiError(n8n.getNode(), given, {
    itemIndex,
    ...explainFailure(failure),
    ...(status !== undefined && { httpCode: String(status) }),
  });
  error.context['clickatellCode'] = failure.code;
  error.context['maybeSent'] = failure.maybeSent === true;
  throw error;
};

/** Sends a request without side effects, and so retries it on Clickatell's server errors too. */
export const read = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  request: IHttpRequestOptions,
  plan: RetryPlan,
): Promise<IDataObject> => {
  const answer = await withRetries(
    plan,
    async () => await call(n8n, itemIndex, { method: 'GET', ...request }),
    (given) => isSafeToRetry(failureOf(given)) || given.status >= 500,
  );
  const failure = failureOf(answer);
  if (failure !== null) throwFailure(n8n, itemIndex, failure, answer.status);
  return answer.body;
};

export const readObject = (value: unknown): IDataObject => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as IDataObject;
  if (typeof value !== 'string') return {};
  try {
    return readObject(JSON.parse(value));
  } catch {
    return {};
  }
};
