/** The folder of the spool cannot be used: by this process (`spool_unusable`), or at the same time (`spool_in_use`). */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
  readonly code: 'spool_in_use' | 'spool_unusable';

  constructor(code: SpoolError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
