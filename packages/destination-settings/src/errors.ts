/** What is no declaration of destinations. The message says where, and shows no value. */
export class InvalidDestinationsError extends Error {
  override readonly name = 'InvalidDestinationsError';
  readonly code = 'invalid_destinations';
  readonly status = 400;
  readonly expose = true;
}
