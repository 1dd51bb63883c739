export { type CallbackCredential, callbackAuthEntry, callbackUrls, readCallbackAuth } from './callback-auth.ts';
export {
  credentialDigest,
  type KeptCredentials,
  readKeptCredentials,
  usableCredentials,
  writeKeptCredentials,
} from './kept-credentials.ts';
export { ConfigError, readConfig } from './read-config.ts';
export {
  adapters,
  checkedBy,
  durability,
  duration,
  egressAllow,
  logLevel,
  publicUrl,
  retrySchedule,
  wholeNumber,
} from './variables.ts';
