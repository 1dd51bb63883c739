/** A declaration of destinations that does not fit. The message says where, and repeats no value. */
export class InvalidDestinationsError extends Error {
  override readonly name = 'InvalidDestinationsError';
  readonly code = 'invalid_destinations';
  readonly status = 400;
  readonly expose = true;
}
