export { ConfigError, readConfig } from './read-config.ts';
export { checkedBy, durability, duration, egressAllow, logLevel, retrySchedule, wholeNumber } from './variables.ts';
