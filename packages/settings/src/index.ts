export { ConfigError, readConfig } from './read-config.ts';
export { checkedBy, durability, duration, logLevel, retrySchedule, wholeNumber } from './variables.ts';
