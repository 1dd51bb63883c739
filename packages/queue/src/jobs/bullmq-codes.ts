/* The codes of the errors that BullMQ's scripts answer with. No other file knows them. */

const CODE = { jobGone: -1, noLock: -2, notInState: -3, otherLock: -6 } as const;

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** The job no longer exists: it ended, or somebody removed it. */
export const isJobGone = (error: unknown): boolean => codeOf(error) === CODE.jobGone;

/** The job is not in the state that the call is for: its time, a worker or another call has moved it. */
export const isJobElsewhere = (error: unknown): boolean => codeOf(error) === CODE.notInState;

const LOST = new Set<unknown>([CODE.jobGone, CODE.noLock, CODE.notInState, CODE.otherLock]);

/** The token no longer holds the job: its lock ran out, the job is not active, or another token holds it. */
export const isLockLost = (error: unknown): boolean => LOST.has(codeOf(error));
