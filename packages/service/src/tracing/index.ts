export { openTracing } from './open-tracing.ts';
export type { Span, StartOptions, Tracing } from './span.ts';
