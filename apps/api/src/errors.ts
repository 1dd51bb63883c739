import type { Issue } from '@clickrelay/core';

export interface RequestRefusedOptions {
  /** What is wrong, place by place. Holds no received value. */
  readonly issues?: readonly Issue[];
  /** When asking again may help, in ms. */
  readonly retryAfterMs?: number;
}

/** A refusal that the caller can act on. */
export class RequestRefusedError extends Error {
  override readonly name = 'RequestRefusedError';
  readonly expose = true;
  readonly status: number;
  readonly code: string;
  readonly issues: readonly Issue[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string, message: string, options: RequestRefusedOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.issues = options.issues;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export const notFound = (what: string, id: string): RequestRefusedError =>
  new RequestRefusedError(404, 'not_found', `there is no ${what} ${id.slice(0, 120)}`);
