export { ConfigError, readConfig } from './read-config.ts';
export { durability, duration, logLevel, parseDuration, wholeNumber } from './variables.ts';
