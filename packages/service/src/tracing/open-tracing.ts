import type { Tracing, TracingOptions } from './span.ts';

/** @returns undefined unless `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) is set. */
export const openTracing = async (options: TracingOptions): Promise<Tracing | undefined> => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = options.environment;
  if (!all && !traces) return undefined;
  const { exportSpans } = await import('./export-spans.ts');
  return exportSpans(options);
};
