export { ConfigError, readConfig } from './read-config.ts';
export { durability, duration, logLevel, wholeNumber } from './variables.ts';
