import { type DurabilityReport, isPassing, type Readiness } from '@clickrelay/queue';
import type { Context } from 'koa';
import type { WriteAnswer } from './answer.ts';
import { allowMethods, RefusalError } from './render-error.ts';

export interface HealthOptions {
  readonly readiness: () => Readiness;
  /** Aborted when this process has been told to stop. */
  readonly stopping: AbortSignal;
  readonly answer: WriteAnswer;
}

/**
 * `/healthz`: the process is up. `/readyz`: whether a callback sent now would be accepted, and how safe it would be.
 * @returns whether the request was answered
 */
export const answerHealth =
  ({ readiness, stopping, answer }: HealthOptions): ((ctx: Context, path: string) => boolean) =>
  (ctx, path) => {
    if (path !== '/healthz' && path !== '/readyz') return false;
    allowMethods(ctx.method, ['GET', 'HEAD']);
    if (path === '/healthz') {
      answer(ctx, 200, '{"status":"up"}');
      return true;
    }

    const { ready, problems, ...facts } = readiness();
    const reason = stopping.aborted ? 'this receiver is stopping' : ready ? undefined : describe(problems);
    const report = { ready: reason === undefined, ...facts, problems };
    if (reason === undefined) answer(ctx, 200, JSON.stringify(report));
    else answer(ctx, 503, JSON.stringify({ ...report, error: { code: 'not_ready', message: reason } }));
    return true;
  };

const describe = (problems: DurabilityReport['problems']): string => {
  if (problems.length === 0) return 'Redis has not answered yet';
  return problems.map(({ setting, value, mend }) => `${setting} is ${value}: ${mend}`).join('; ');
};

export interface RequireDurableOptions {
  readonly durability: () => DurabilityReport;
  readonly hasSpool: boolean;
}

/**
 * Refuses callbacks while Redis would lose what we acknowledge. A lost connection is no reason by itself: the commit
 * notices in time, and callbacks are taken again with the first commit that succeeds, not with the next look. With a
 * spool they are taken from the start, before Redis has been seen.
 * @throws {RefusalError} 503 `not_ready`
 */
export const requireDurable = ({ durability, hasSpool }: RequireDurableOptions): (() => void) => {
  let safeWhenLastSeen = hasSpool;
  return () => {
    const { ready, problems } = durability();
    if (ready) safeWhenLastSeen = true;
    else if (!problems.every(isPassing)) safeWhenLastSeen = false;
    else if (hasSpool) safeWhenLastSeen = true;
    if (!safeWhenLastSeen) throw new RefusalError(503, 'not_ready', describe(problems), { logLevel: 'error' });
  };
};
