/** There is no destination with this id. */
export class DestinationNotFoundError extends Error {
  override readonly name = 'DestinationNotFoundError';
  readonly code = 'destination_not_found';
  readonly status = 404;
  readonly expose = true;
}
