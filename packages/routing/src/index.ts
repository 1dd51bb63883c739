export { compileFilter, type Filter, InvalidFilterError, MAX_FILTER_LENGTH, type Verdict } from './filter.ts';
export { openRoute, type Route, type Rule, type Selection } from './route.ts';
