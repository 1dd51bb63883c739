/** Nothing is known of this delivery: its event is gone from the log, or it never was. */
export class DeliveryNotFoundError extends Error {
  override readonly name = 'DeliveryNotFoundError';
  readonly code = 'delivery_not_found';
  readonly status = 404;
  readonly expose = true;
}
