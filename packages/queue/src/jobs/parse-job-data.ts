/**
 * A job holds data that no version of ours writes. It stays in its queue and is tried again: nothing is lost for it.
 */
class InvalidJobError extends Error {
  override readonly name = 'InvalidJobError';
  readonly code = 'invalid_job';
}

/**
 * Checks what came back from Redis.
 * @param what What the job is of, for the error. The data stay out of it: they may hold a message.
 * @throws {InvalidJobError}
 */
export const parseJobData = <Data extends object>(
  what: string,
  data: unknown,
  isValid: (fields: Partial<Record<keyof Data, unknown>>) => fields is Data,
): Data => {
  if (typeof data === 'object' && data !== null && isValid(data)) return data;
  throw new InvalidJobError(`the data of this ${what} job cannot be read; it stays in its queue`);
};
