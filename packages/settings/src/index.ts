export { ConfigError, readConfig } from './read-config.ts';
export { durability, duration, logLevel, retrySchedule, wholeNumber } from './variables.ts';
