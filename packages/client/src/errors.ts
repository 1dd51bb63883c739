/** Something of a request that does not fit. */
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
  /** In ms; set where the API said when to ask again. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, told: Pick<ApiError, 'status' | 'code' | 'issues' | 'retryAfterMs'>) {
    super(message);
    this.status = told.status;
    this.code = told.code;
    this.issues = told.issues;
    this.retryAfterMs = told.retryAfterMs;
  }
}

/** No answer came, or none of Clickrelay's. Whether the request was carried out is not known. */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
  readonly code = 'api_unreachable';
}
