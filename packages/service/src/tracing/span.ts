/*
 * Optional traces: a span for the callback, its commit, its way through the worker, and each attempt at a delivery.
 * Nothing of OpenTelemetry is loaded unless they are configured.
 */

export interface StartOptions {
  /** W3C `traceparent` of the parent span. Without one, or with an invalid one, a new trace begins. */
  readonly parent?: string | undefined;
  /** No content, phone number or secret. */
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export interface Span {
  /** For child spans, in this process and in others. */
  readonly traceparent: string;
  /** @param error the code of an error, if one ended it */
  end(error?: string, attributes?: StartOptions['attributes']): void;
}

export interface Tracing {
  /** @param kind the kind of span, in OpenTelemetry's terms */
  start(name: string, kind: 'server' | 'internal' | 'consumer' | 'client', options?: StartOptions): Span;
  /** Sends the spans that are still waiting. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Name of the service, unless `OTEL_SERVICE_NAME` says otherwise. */
  readonly service: string;
  readonly version: string;
}
