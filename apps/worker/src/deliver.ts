import { type DeliveryError, deliveryId, isName, type LoggedEvent, STATUS_TYPE } from '@clickrelay/core';
import type { WorkerMetrics } from '@clickrelay/metrics';
import {
  type AttemptLog,
  asDeliveryError,
  type DeadLetterKind,
  deadLetterKind,
  type Outcome,
  openDelivery,
  outcomeOf,
  type PutOff,
  pauseDestination,
  type Settlement,
  type Store,
  type TakenJob,
} from '@clickrelay/queue';
import type { Logger } from 'pino';
import type { Outlet } from './outlet.ts';
import type { Traces } from './traces.ts';

export interface DeliverContext {
  readonly store: Store;
  readonly attempts: AttemptLog;
  readonly metrics: WorkerMetrics;
  /** Undefined unless traces are asked for. */
  readonly traces: Traces | undefined;
  readonly log: Logger;
  /** Aborted when the process stops and its grace is over. */
  readonly signal: AbortSignal;
}

export interface AttemptResult {
  readonly outcome: Outcome;
  /** Empty when delivered. */
  readonly reason: string;
  /** Of a dead letter. */
  readonly because: DeadLetterKind;
  /** Does not use up an attempt: we stopped it ourselves, or it paused the destination. */
  readonly uncounted: boolean;
}

/**
 * One attempt in a turn that the outlet gave: deliver, leave, decide what follows, write both down.
 * @param replayId The replay of many that it is made for.
 */
export const attemptDelivery = async (
  { store, attempts, metrics, traces, log, signal }: DeliverContext,
  outlet: Outlet,
  event: LoggedEvent,
  { number, isFirst, replayId }: { number: number; isFirst: boolean; replayId?: string | undefined },
): Promise<AttemptResult> => {
  const { id: eventId, type } = event.event;
  const startedAtMs = store.clock.now();
  const since = performance.now();
  let status: number | null = null;
  let response = '';
  let failure: DeliveryError | undefined;
  const span = traces?.attempt(event, outlet.id, number);
  try {
    if (outlet.deliverer === undefined) throw new Error(`${outlet.id} is not delivered to`);
    const receipt = await outlet.deliverer.deliver({
      deliveryId: deliveryId(eventId, outlet.id),
      number,
      event,
      signal,
      ...(span && { traceparent: span.traceparent }),
    });
    status = receipt.status;
    response = receipt.response;
  } catch (error) {
    failure = asDeliveryError(error);
    status = failure.status ?? null;
    response = failure.response ?? '';
  }
  span?.end(failure, status);
  // This process stopped it: it ends itself, or the destination was given other settings and is open anew by now.
  const isStopped = failure?.code === 'delivery_aborted';
  // An attempt that was never sent says nothing about the destination.
  const isUntried = isStopped || failure?.code === 'delivery_not_built';
  // Before it is written down: the next one need not wait for that.
  outlet.leave(isUntried ? 'untried' : (failure ?? 'delivered'));
  const durationMs = Math.round(performance.now() - since);
  const reason = failure?.message ?? '';
  const because = deadLetterKind(failure);
  if (isStopped) return { outcome: { kind: 'retry', delayMs: 0 }, reason, because, uncounted: true };

  const parks = failure?.parks ?? false;
  if (parks) {
    const reason = `answered ${status} to ${eventId}`;
    outlet.pause(reason);
    await pauseDestination(store, outlet.id, reason, 'gone');
  }
  const outcome: Outcome = parks
    ? { kind: 'retry', delayMs: 0 }
    : outcomeOf(failure, number, outlet.schedule, Math.random());
  const attempt = { destinationId: outlet.id, durationMs, outcome, error: failure };
  metrics.attempted(attempt);
  await attempts.record({ ...attempt, eventId, startedAtMs, status, response, isFirst, replayId });

  const line = {
    event: eventId,
    type: isName(type) ? type : '(no name)',
    destination: outlet.id,
    attempt: number,
    of: outlet.schedule.length,
    status,
    ms: durationMs,
  };
  if (failure === undefined) log.debug(line, 'delivery.attempted');
  else log.warn({ ...line, error: failure.code, reason, next: next(outcome) }, 'delivery.attempted');
  return { outcome, reason, because, uncounted: parks };
};

/** Not called for a replay: that is as late as a person asked for it. */
export const countDelivered = ({ metrics }: DeliverContext, { event }: LoggedEvent): void =>
  metrics.delivered(event.type === STATUS_TYPE ? 'statuses' : 'messages', event.receivedAt);

const next = (outcome: Outcome): string => (outcome.kind === 'retry' ? `retry in ${outcome.delayMs} ms` : outcome.kind);

/** How long a delivery sleeps that waits for the one before it in its conversation. */
const PUT_OFF: PutOff = { shortestMs: 50, longestMs: 30_000 };

/** One job of a destination's queue. */
export const deliverJob = async (context: DeliverContext, outlet: Outlet, job: TakenJob): Promise<Settlement> => {
  const { store, traces } = context;
  const { id: destinationId, ordering } = outlet;
  outlet.enterFromQueue();
  let hasTurn = true;
  try {
    const opened = await openDelivery({ store, destinationId, ordering, putOff: PUT_OFF }, job);
    if ('settlement' in opened) return opened.settlement;
    const { logged, attemptsBefore, isReplay, replayId, trace } = opened;
    traces?.note(logged, trace);
    const number = attemptsBefore + job.attemptsMade + 1;
    hasTurn = false;
    const { outcome, reason, because, uncounted } = await attemptDelivery(context, outlet, logged, {
      number,
      isFirst: number === 1 && !isReplay,
      replayId,
    });
    if (uncounted) return { kind: 'postpone', delayMs: 0 };
    if (outcome.kind === 'retry') return { kind: 'retry', delayMs: outcome.delayMs, reason };
    await ordering?.leave(logged.event);
    if (outcome.kind === 'dead_letter') return { kind: 'dead_letter', reason, because };
    if (!isReplay) countDelivered(context, logged);
    return { kind: 'done' };
  } finally {
    if (hasTurn) outlet.leave('untried');
    outlet.leaveQueue();
  }
};
