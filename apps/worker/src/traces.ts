import { type DeliveryError, isName, type LoggedEvent } from '@clickrelay/core';
import type { Span, Tracing } from '@clickrelay/service/tracing';

/** Knows which trace each event under way is part of. */
export interface Traces {
  /** A callback is split. */
  ingest(trace: string | undefined): IngestSpan;
  /** The event of a job is part of this trace. */
  note(event: LoggedEvent, trace: string | undefined): void;
  /** The trace that a job of this event carries. */
  of(event: LoggedEvent): string | undefined;
  attempt(event: LoggedEvent, destinationId: string, number: number): AttemptSpan;
}

export interface IngestSpan {
  note(event: LoggedEvent): void;
  end(): void;
}

interface AttemptSpan extends Pick<Span, 'traceparent'> {
  end(failure: DeliveryError | undefined, status: number | null): void;
}

export const createTraces = (tracing: Tracing): Traces => {
  const traces = new WeakMap<LoggedEvent, string>();
  const note = (event: LoggedEvent, trace: string | undefined): void => {
    if (trace !== undefined) traces.set(event, trace);
  };
  return {
    note,
    of: (event) => traces.get(event),
    ingest: (trace) => {
      const span = tracing.start('ingest', 'consumer', { parent: trace });
      return { note: (event) => note(event, span.traceparent), end: () => span.end() };
    },
    attempt: (event, destinationId, number) => {
      const { id, type } = event.event;
      const span = tracing.start('deliver', 'client', {
        parent: traces.get(event),
        attributes: {
          'clickrelay.destination': destinationId,
          'clickrelay.event.id': id,
          'clickrelay.event.type': isName(type) ? type : '(no name)',
          'clickrelay.attempt': number,
        },
      });
      return {
        traceparent: span.traceparent,
        end: (failure, status) =>
          span.end(failure?.code, status === null ? undefined : { 'http.response.status_code': status }),
      };
    },
  };
};
