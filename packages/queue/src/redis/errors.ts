import { QueueUnavailableError } from '@clickrelay/core';

/** The data in this Redis were written by a Clickrelay that lays them out differently. */
export class LayoutMismatchError extends Error {
  override readonly name = 'LayoutMismatchError';
  readonly code = 'layout_mismatch';
}

/** This process hashes people with another key than those that wrote the data in this Redis. */
export class PersonKeyMismatchError extends Error {
  override readonly name = 'PersonKeyMismatchError';
  readonly code = 'person_key_mismatch';

  constructor() {
    super(
      '`PERSON_KEY` is not the one that the data in this Redis began with: set that one (`clickrelay start` keeps it as ' +
        '`personKey` in secrets.json), the same for every worker and API. When it is lost, stop all of them, ' +
        `forget it with redis-cli del ${JSON.stringify('cr:{registry}:person-key')}, and start them again`,
    );
  }
}

/** This Redis was emptied, or is another one than before. Nothing is written to it until a person says that it is ours. */
export class StoreLostError extends QueueUnavailableError {
  override readonly code = 'store_lost';

  constructor(what: string) {
    super(`the store is ${what}; nothing was stored`);
  }
}
