import { QueueUnavailableError } from '@clickrelay/core';

/** The data in this Redis were written by a Clickrelay that lays them out differently. */
export class LayoutMismatchError extends Error {
  override readonly name = 'LayoutMismatchError';
  readonly code = 'layout_mismatch';
}

/** This Redis was emptied, or is another one than before. Nothing is written to it until a person says that it is ours. */
export class StoreLostError extends QueueUnavailableError {
  override readonly code = 'store_lost';

  constructor(what: string) {
    super(`the store is ${what}; nothing was stored`);
  }
}
