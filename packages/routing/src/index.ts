export { compileFilter, type Filter, InvalidFilterError, MAX_FILTER_LENGTH, type Verdict } from './filter.ts';
export { type ReadField, readsOfFilter } from './read-fields.ts';
export { type OnGivenUp, openRoute, type Route, type Rule, type Selection } from './route.ts';
