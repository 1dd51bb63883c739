export { type CallbackCredential, callbackUrls, readCallbackAuth } from './callback-auth.ts';
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
