import { type CredentialRecord, openCredentialRecords, type Store } from '@clickrelay/queue';
import {
  type CallbackCredential,
  callbackAuthEntry,
  credentialDigest,
  type KeptCredentials,
  readKeptCredentials,
  usableCredentials,
  writeKeptCredentials,
} from '@clickrelay/service/settings';

/**
 * The credentials that this API knows in clear text, to show them and to send test callbacks: those of `CALLBACK_AUTH`,
 * and those that were made here. Redis keeps hashes only.
 */
export interface KnownCredentials {
  /** Those that have not ended, as far as is known here: the newest that was made first, `CALLBACK_AUTH` last. */
  usable(): CallbackCredential[];
  add(credential: CallbackCredential): void;
  /** @param endsAt null takes the end back */
  setEnd(sha256: string, endsAt: string | null): void;
}

export interface KnownCredentialsOptions {
  readonly callbackAuth: string;
  /** Where those that are made here are kept. Empty: in memory, until this process ends. */
  readonly dataDir: string;
  /** They could not be written there. */
  readonly onError: (error: unknown) => void;
}

export const openKnownCredentials = (options: KnownCredentialsOptions): KnownCredentials => {
  const { callbackAuth, dataDir, onError } = options;
  let inMemory: KeptCredentials | undefined = dataDir === '' ? { made: [], ends: {} } : undefined;
  const read = (): KeptCredentials => inMemory ?? readKeptCredentials(dataDir);
  const write = (kept: KeptCredentials): void => {
    try {
      if (dataDir === '') inMemory = kept;
      else writeKeptCredentials(dataDir, kept);
    } catch (error) {
      inMemory = kept;
      onError(error);
    }
  };
  return {
    usable: () => usableCredentials(callbackAuth, read()),
    add: (credential) => {
      const { made, ends } = read();
      write({ made: [callbackAuthEntry(credential), ...made], ends });
    },
    setEnd: (sha256, endsAt) => {
      const { made, ends } = read();
      const { [sha256]: _, ...others } = ends;
      write({ made, ends: endsAt === null ? others : { ...ends, [sha256]: endsAt } });
    },
  };
};

export const hasEnded = ({ endsAt }: Pick<CredentialRecord, 'endsAt'>, nowMs: number): boolean =>
  endsAt !== null && Date.parse(endsAt) <= nowMs;

/** Those that are known in clear text and that no API has ended. */
export const acceptedCredentials = async (
  known: KnownCredentials,
  store: Store,
  nowMs: number,
): Promise<CallbackCredential[]> => {
  const ended = (await openCredentialRecords(store).list()).filter((record) => hasEnded(record, nowMs));
  const over = new Set(ended.map(({ sha256 }) => sha256));
  return known.usable().filter((credential) => !over.has(credentialDigest(credential)));
};
