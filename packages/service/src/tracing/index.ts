export { openTracing, type Span, type StartOptions, type Tracing } from './tracing.ts';
