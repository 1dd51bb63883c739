import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A test callback takes the way of every other one: through the public address, the receiver and the ingest queue. Only
 * the worker, which has split it, looks whether its event is one that was announced here, and then neither logs nor
 * delivers it. Announced is the event's id, which is derived from all of its content: nobody who has the credential can
 * make another event pass for it, and sent again it is the test again.
 */

/** How the message ids of test callbacks begin, so that nothing else has to be looked up. */
export const TEST_MESSAGE = 'clickrelay-test-';

/** Longer than a callback may lie in a spool while Redis is away, usually. In seconds. */
const KEPT_S = 7 * 86_400;

/** What the worker saw of a test callback. */
export interface TestReport {
  readonly lane: 'messages' | 'statuses';
  readonly receivedAt: string;
  readonly splitAt: string;
  readonly eventType: string;
  readonly valid: boolean;
  /** Ids of the destinations that would have got it. */
  readonly wantedBy: readonly string[];
}

const keyOf = (eventId: string): string => `${REGISTRY}:test:${eventId}`;

/** To be called before it is sent. */
export const announceTest = async (store: Store, eventId: string): Promise<void> => {
  await store.redis.set(keyOf(eventId), '', 'EX', KEPT_S);
};

/** Whether an event is an announced test; if so, what was seen of it is kept for who sent it. */
export const reportTest = async (store: Store, eventId: string, report: TestReport): Promise<boolean> =>
  (await store.redis.set(keyOf(eventId), JSON.stringify(report), 'EX', KEPT_S, 'XX')) === 'OK';

/** @returns undefined until the worker has seen it */
export const readTestReport = async (store: Store, eventId: string): Promise<TestReport | undefined> => {
  const text = await store.redis.get(keyOf(eventId));
  return text ? JSON.parse(text) : undefined;
};
