import { hash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CallbackCredential, readCallbackAuth } from './callback-auth.ts';

/**
 * `DATA_DIR/credentials.json`: the clear text of credentials that the API made here, for those who show or send them.
 * Receivers need only the hashes, which Redis keeps.
 */
export interface KeptCredentials {
  /** As in `CALLBACK_AUTH`, newest first. */
  readonly made: readonly string[];
  /** When credentials end, or have ended, by their SHA-256. Those of `CALLBACK_AUTH` too. */
  readonly ends: Readonly<Record<string, string>>;
}

const NOTHING: KeptCredentials = { made: [], ends: {} };
const fileOf = (dataDir: string): string => join(dataDir, 'credentials.json');

/** Nothing when there is no such file, or it cannot be read: what it holds can be made again. */
export const readKeptCredentials = (dataDir: string): KeptCredentials => {
  try {
    return { ...NOTHING, ...(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Partial<KeptCredentials>) };
  } catch {
    return NOTHING;
  }
};

/** Writes the whole file or nothing, readable by this user only. */
export const writeKeptCredentials = (dataDir: string, kept: KeptCredentials): void => {
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, fileOf(dataDir));
};

/** In hex, of what a request must show: receivers recognise a credential by it. */
export const credentialDigest = (credential: CallbackCredential): string => {
  switch (credential.kind) {
    case 'query':
      return hash('sha256', credential.secret);
    case 'basic':
      return hash('sha256', `${credential.user}:${credential.password}`);
    case 'header':
      return hash('sha256', credential.value);
    case 'none':
      return '';
  }
};

/** Those that are accepted: what was made first, the newest in front, then those of `CALLBACK_AUTH`. */
export const usableCredentials = (
  callbackAuth: string,
  { made, ends }: KeptCredentials,
  nowMs = Date.now(),
): CallbackCredential[] =>
  [...made, callbackAuth].flatMap(readCallbackAuth).filter((credential) => {
    const endsAt = ends[credentialDigest(credential)];
    return endsAt === undefined || Date.parse(endsAt) > nowMs;
  });
