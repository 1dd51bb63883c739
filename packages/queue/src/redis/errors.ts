/** The data in this Redis were written by a Clickrelay that lays them out differently. */
export class LayoutMismatchError extends Error {
  override readonly name = 'LayoutMismatchError';
  readonly code = 'layout_mismatch';
}

/** The folder of the spool cannot be used: by this process (`spool_unusable`), or at the same time (`spool_in_use`). */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
  readonly code: 'spool_in_use' | 'spool_unusable';

  constructor(code: SpoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** There is no destination with this id. */
export class DestinationNotFoundError extends Error {
  override readonly name = 'DestinationNotFoundError';
  readonly code = 'destination_not_found';
  readonly status = 404;
  readonly expose = true;
}

/** The destination is delivered to; nobody can lease from it. */
export class NotAPullDestinationError extends Error {
  override readonly name = 'NotAPullDestinationError';
  readonly code = 'not_a_pull_destination';
  readonly status = 409;
  readonly expose = true;
}

/** Nothing is known of this delivery: its event is gone from the log, or it never was. */
export class DeliveryNotFoundError extends Error {
  override readonly name = 'DeliveryNotFoundError';
  readonly code = 'delivery_not_found';
  readonly status = 404;
  readonly expose = true;
}

/** The lease has ended, or is another one's: whoever has the delivery now decides. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'lease_lost';
  readonly status = 409;
  readonly expose = true;
}

/** So many deliveries of this destination are out that no more are handed out. */
export class TooManyLeasesError extends Error {
  override readonly name = 'TooManyLeasesError';
  readonly code = 'too_many_leases';
  readonly status = 429;
  readonly expose = true;
}
