import { DAY_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A test callback takes the same way as every other: through the public address, the receiver and the ingest queue.
 * Only the worker, once it has split the callback, checks whether its event was announced here, and then neither logs
 * nor delivers it. The announcement names the event's id, which is derived from all of its content: with the credential
 * alone nobody can pass another event off as the test, and a repeat of the test is the test again.
 */

/** The message ids of test callbacks begin with this, so that no other event has to be looked up. */
export const TEST_MESSAGE = 'clickrelay-test-';

/** In seconds. Longer than a callback usually stays in a spool while Redis is away. */
const KEPT_S = (7 * DAY_MS) / 1_000;

/** What the worker saw of a test callback. */
interface TestReport {
  readonly lane: 'messages' | 'statuses';
  readonly receivedAt: string;
  readonly splitAt: string;
  readonly eventType: string;
  readonly valid: boolean;
  /** Ids of the destinations that would have got it. */
  readonly wantedBy: readonly string[];
}

const keyOf = (eventId: string): string => `${REGISTRY}:test:${eventId}`;

/** Call this before sending the callback. */
export const announceTest = async (store: Store, eventId: string): Promise<void> => {
  await store.redis.set(keyOf(eventId), '', 'EX', KEPT_S);
};

/** Whether an event is an announced test. If so, keeps the report for its sender. */
export const reportTest = async (store: Store, eventId: string, report: TestReport): Promise<boolean> =>
  (await store.redis.set(keyOf(eventId), JSON.stringify(report), 'EX', KEPT_S, 'XX')) === 'OK';

/** @returns undefined until the worker has seen it */
export const readTestReport = async (store: Store, eventId: string): Promise<TestReport | undefined> => {
  const text = await store.redis.get(keyOf(eventId));
  return text ? JSON.parse(text) : undefined;
};
