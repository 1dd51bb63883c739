import type { CallbackToCommit } from '@clickrelay/queue';
import type { Tracing } from '@clickrelay/service/tracing';
import type { Commit } from './receive.ts';

/**
 * Makes a span for the callback and one for its commit. Everything that follows from the callback belongs to the first.
 */
export const traceCommit =
  (tracing: Tracing, commit: (callback: CallbackToCommit, receivedAt: string) => Promise<void>): Commit =>
  async (callback, receivedAt, { headers }) => {
    const { lane, eventCount } = callback;
    const parent = headers['traceparent']?.toString();
    const attributes = { 'clickrelay.lane': lane, 'clickrelay.events': eventCount };
    const received = tracing.start('callback', 'server', { parent, attributes });
    const committing = tracing.start('commit', 'internal', { parent: received.traceparent });
    let error: string | undefined;
    try {
      await commit({ ...callback, trace: received.traceparent }, receivedAt);
    } catch (failure) {
      error = (failure as { code?: string }).code ?? 'internal_error';
      throw failure;
    } finally {
      committing.end(error);
      received.end(error);
    }
  };
