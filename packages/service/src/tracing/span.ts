/*
 * Traces, for those who ask for them: a span for the callback, its commit, its way through the worker, and each attempt at
 * a delivery. Nothing of OpenTelemetry is loaded otherwise.
 */

export interface StartOptions {
  /** W3C `traceparent` of what this is part of; without one, or with a wrong one, a trace begins. */
  readonly parent?: string | undefined;
  /** No content, phone number or secret. */
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export interface Span {
  /** For what is part of this, here and elsewhere. */
  readonly traceparent: string;
  /** @param error code of what went wrong */
  end(error?: string, attributes?: StartOptions['attributes']): void;
}

export interface Tracing {
  /** @param kind of span, in OpenTelemetry's words */
  start(name: string, kind: 'server' | 'internal' | 'consumer' | 'client', options?: StartOptions): Span;
  /** Sends what was not sent yet. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Name of the service, unless `OTEL_SERVICE_NAME` says otherwise. */
  readonly service: string;
  readonly version: string;
}
