import { QueueUnavailableError, type Rate } from '@clickrelay/core';
import { recordAudit, withDeadline } from '@clickrelay/queue';
import type { Context } from 'koa';
import { type Caller, callerOf, type FindCaller, nameOf, OWNER, sessionOf } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { assertSameOrigin, sessionIdOf, setSessionCookie } from './browser.ts';
import { type Browser, type Exchange, type Operation, type Resources, revealQuery } from './operation.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { check, readRequest } from './read-request.ts';
import { recordReveal, wantsPersonalData } from './reveal.ts';
import { sendAnswer } from './send-answer.ts';
import { watchCaller } from './watch-caller.ts';

/** In ms. Several times what one command may take, because an operation may need a few. */
const OPERATION_DEADLINE_MS = 5_000;

/** Per address; a sign-in needs a key. */
const SIGN_INS: Rate = { max: 20, spanMs: 60_000 };

export interface Surroundings {
  readonly resources: Resources;
  readonly findCaller: FindCaller;
  /** Per key, `API_KEY` and leasing apart. */
  readonly rateLimit: Rate;
}

/** Carries out one operation for one request: the steps between authentication and the answer, in their order. */
export const createCarryOut = ({ resources, findCaller, rateLimit }: Surroundings) => {
  const requests = createRateLimit(overSeconds(rateLimit));
  const signIns = createRateLimit(SIGN_INS);

  return async (operation: Operation, ctx: Context): Promise<void> => {
    const caller = callerOf(ctx);
    if (isLimited(operation, caller)) requests.take(nameOf(caller));
    const scope = authorize(operation, caller);
    const request = await readRequest(operation, ctx);
    const { reveal } = check(revealQuery, { reveal: ctx.query['reveal'] }, 'query');
    const isRevealed = operation.mask !== undefined && wantsPersonalData(caller, { reveal });
    // BullMQ waits for ever for a Redis that it never reached.
    if (!operation.isLocal) resources.store.assertConnected();
    const audit: Exchange['audit'] = (action, target, detail) =>
      recordAudit(resources.store, { by: nameOf(caller), action, target, ...(detail && { detail }) });
    const tooLate = new AbortController();
    const { signal, onUnsent } = watchCaller(ctx);
    const isWaitedFor = AbortSignal.any([signal, tooLate.signal]);
    const exchange = {
      caller,
      scope,
      signal: isWaitedFor,
      onUnsent,
      audit,
      browser: browserOf(ctx, signIns),
      findCaller,
    };
    const run = async (): Promise<unknown> => {
      const answer = await operation.run(request as never, resources, exchange);
      if (operation.mask === undefined) return answer;
      if (!isRevealed) return operation.mask(answer as never);
      if (reveal === 'true') await recordReveal(operation, { path: ctx.path, answer, audit });
      return answer;
    };
    sendAnswer(ctx, operation, await inTime(run(), operation.deadlineMs ?? OPERATION_DEADLINE_MS, tooLate));
  };
};

/** @param tooLate Aborted at the deadline: what is only read need not be read to its end. */
const inTime = (answer: Promise<unknown>, deadlineMs: number, tooLate: AbortController): Promise<unknown> =>
  withDeadline(answer, deadlineMs, {
    error: () => {
      tooLate.abort();
      return new QueueUnavailableError(
        `Redis did not answer within ${deadlineMs} ms; what was asked for may still happen`,
      );
    },
  });

const browserOf = (ctx: Context, signIns: RateLimit): Browser => ({
  session: sessionOf(ctx),
  sessionId: sessionIdOf(ctx),
  lastEventId: ctx.get('last-event-id').slice(0, 200) || undefined,
  setSession: (sessionId) => setSessionCookie(ctx, sessionId),
  assertSameOrigin: () => assertSameOrigin(ctx, { needed: false }),
  countSignIn: () => signIns.take(ctx.ip),
});

/** Leasing is not limited: consumers go as fast as they can, and the number of leases that may be out bounds them. */
const isLimited = ({ scopes, isPublic = false }: Operation, caller: Caller): boolean =>
  !isPublic && caller !== OWNER && !(scopes.length === 1 && scopes[0] === 'lease');

/** A rate over at least a second: what is allowed in a second may come at once. */
const overSeconds = ({ max, spanMs }: Rate): Rate => {
  const times = Math.max(1, Math.ceil(1_000 / spanMs));
  return { max: max * times, spanMs: spanMs * times };
};
