export { ConfigError, readConfig } from './read-config.ts';
export {
  adapters,
  checkedBy,
  durability,
  duration,
  egressAllow,
  logLevel,
  retrySchedule,
  wholeNumber,
} from './variables.ts';
