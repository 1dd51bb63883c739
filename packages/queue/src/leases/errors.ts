/** The destination is delivered to; nobody can lease from it. */
export class NotAPullDestinationError extends Error {
  override readonly name = 'NotAPullDestinationError';
  readonly code = 'not_a_pull_destination';
  readonly status = 409;
  readonly expose = true;
}

/** The lease has ended, or the delivery is leased to another consumer, which decides now. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'lease_lost';
  readonly status = 409;
  readonly expose = true;
}

/** As many deliveries of this destination are out as may be. */
export class TooManyLeasesError extends Error {
  override readonly name = 'TooManyLeasesError';
  readonly code = 'too_many_leases';
  readonly status = 429;
  readonly expose = true;
}
