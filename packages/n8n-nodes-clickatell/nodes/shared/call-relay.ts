import type {
  IAllExecuteFunctions,
  IDataObject,
  IHttpRequestMethods,
  IHttpRequestOptions,
  IN8nHttpFullResponse,
} from 'n8n-workflow';
import { codeOf, isHopeless } from './explain-no-answer.ts';

/** Clickrelay refused a request, or did not answer. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** Clickrelay's own error code; when there was no answer, the system's, such as ECONNREFUSED. */
  readonly code: string | undefined;

  constructor(message: string, status?: number, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /**
   * Passes by itself: no answer, a gateway's error, a relay that is starting or has lost its Redis, or "not so often".
   */
  get isOutage(): boolean {
    if (this.status === undefined) return !isHopeless(this.code ?? '');
    return this.status >= 500 || this.status === 408 || this.status === 429;
  }

  /** Someone else, or nobody, holds the delivery now: we can no longer settle it. */
  get isLost(): boolean {
    return this.code === 'lease_lost' || this.code === 'delivery_not_found';
  }

  get isUnknownDestination(): boolean {
    return this.code === 'destination_not_found';
  }
}

/** How long to wait for an answer, unless the caller says otherwise. */
const ANSWER_MS = 10_000;

export interface CallOptions {
  readonly body?: IDataObject;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls Clickrelay's API with the credential of the node.
 * @throws {RelayError} unless it succeeds
 */
export const callRelay = async (
  n8n: Pick<IAllExecuteFunctions, 'helpers'>,
  method: IHttpRequestMethods,
  url: string,
  { body, timeoutMs = ANSWER_MS, signal }: CallOptions = {},
): Promise<IDataObject> => {
  const request: IHttpRequestOptions = {
    method,
    url,
    ...(body !== undefined && { body }),
    json: true,
    timeout: timeoutMs,
    ...(signal !== undefined && { abortSignal: signal }),
    disableFollowRedirect: true,
    ignoreHttpStatusErrors: true,
    returnFullResponse: true,
  };
  const response = await n8n.helpers.httpRequestWithAuthentication
    .call(n8n as IAllExecuteFunctions, 'clickrelayApi', request)
    .then((given: IN8nHttpFullResponse) => given)
    .catch((error: unknown) => unanswered(codeOf(error)));
  if (response instanceof RelayError) throw response;
  const { statusCode, body: answer } = response;
  if (statusCode >= 200 && statusCode < 300) {
    if (isObject(answer)) return answer;
    throw new RelayError('what answers at the base URL is not Clickrelay', statusCode, 'not_clickrelay');
  }
  const told = isObject(answer) && isObject(answer['error']) ? answer['error'] : {};
  const code = typeof told['code'] === 'string' ? told['code'] : undefined;
  const message = typeof told['message'] === 'string' ? told['message'] : 'without saying why';
  throw new RelayError(`Clickrelay answered ${statusCode}: ${message}${issuesOf(told)}`, statusCode, code);
};

const isObject = (value: unknown): value is IDataObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unanswered = (code: string): RelayError => new RelayError(`Clickrelay does not answer: ${code}`, undefined, code);

/** Words what does not fit, and where; for a filter, the column. */
const issuesOf = (error: Record<string, unknown>): string => {
  const issues = Array.isArray(error['issues']) ? error['issues'] : [];
  return issues
    .filter(isObject)
    .map(({ path, message }) => `; ${String(path)}: ${String(message)}`)
    .join('');
};
