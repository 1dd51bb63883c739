export { type CallbackCredential, callbackAuthEntry, callbackUrls, readCallbackAuth } from './callback-auth.ts';
export {
  credentialDigest,
  type KeptCredentials,
  readKeptCredentials,
  usableCredentials,
  writeKeptCredentials,
} from './kept-credentials.ts';
export { describeMisspelt, KNOWN_VARIABLES, misspeltVariables } from './known-variables.ts';
export { ConfigError, readConfig } from './read-config.ts';
export {
  adapters,
  baseUrl,
  checkedBy,
  durability,
  duration,
  egressAllow,
  logLevel,
  otlpEndpoint,
  personKey,
  publicUrl,
  retrySchedule,
  wholeNumber,
} from './variables.ts';
