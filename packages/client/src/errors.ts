/** A part of a request that does not fit. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** The API refused. `code` is stable, and explained in docs/errors.md. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly issues: readonly Issue[];
  /** In ms; set when the API said when to ask again. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, told: Pick<ApiError, 'status' | 'code' | 'issues' | 'retryAfterMs'>) {
    super(message);
    this.status = told.status;
    this.code = told.code;
    this.issues = told.issues;
    this.retryAfterMs = told.retryAfterMs;
  }
}

/** No answer came from Clickrelay. The request may have been carried out. */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
  readonly code = 'api_unreachable';
}
