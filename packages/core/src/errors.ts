/** What is wrong at one place of a callback or element. Holds rules and types, never received values. */
export interface Issue {
  /** Dotted path within the checked value: `contacts.0.phones`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** The first say enough: a million misfits must not make a million issues. */
export const MAX_ISSUES = 20;

export interface InvalidCallbackOptions {
  readonly issues?: readonly Issue[];
}

/** The body is not a callback. Quarantine it and answer 2xx: Clickatell would resend a refused one for ever. */
export class InvalidCallbackError extends Error {
  override readonly name = 'InvalidCallbackError';
  readonly code = 'invalid_callback';
  readonly status = 422;
  readonly expose = true;
  readonly issues: readonly Issue[] | undefined;

  constructor(message: string, options: InvalidCallbackOptions = {}) {
    super(message);
    this.issues = options.issues;
  }
}

/** Nothing durable could be written in time. The write may have happened; derived ids make another try safe. */
export class QueueUnavailableError extends Error {
  override readonly name = 'QueueUnavailableError';
  readonly code: string = 'queue_unavailable';
  readonly status = 503;
  readonly expose = true;
}

/** The quarantine has reached its limit in count or bytes; someone has to look at it. */
export class QuarantineFullError extends Error {
  override readonly name = 'QuarantineFullError';
  readonly code = 'quarantine_full';
  readonly status = 422;
  readonly expose = true;
}
