export type { Applied, ApplyOptions } from './apply.ts';
export { type Changes, changesBetween } from './changes.ts';
export { checkFilter } from './check-filter.ts';
export { checkEventTypes } from './check-names.ts';
export type { Completed } from './complete.ts';
export { createDestinationSettings, type DestinationSettings } from './create-destination-settings.ts';
export type { Declaration } from './declaration-schemas.ts';
export { InvalidDestinationsError } from './errors.ts';
export { InvalidAdapterError, loadAdapters } from './load-adapters.ts';
