import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Deliverer,
  type DeliveryAttempt,
  type DeliveryError,
  type DeliveryReceipt,
  deliveryId,
  type LoggedEvent,
  MAX_RESPONSE_BYTES,
  splitCallback,
} from '@clickrelay/core';
import { type Behaviour, type OtherSide, startHttpSide } from './other-side.ts';

export interface AdapterContract {
  /**
   * Opens a destination that delivers to the other side, with a time limit of about a second for an attempt.
   * @param url the other side's
   */
  open(url: string): Deliverer;
  /** Starts the server to deliver to. @default an HTTP server */
  startOtherSide?(): Promise<OtherSide>;
  /** Behaviours that the other side does not have, such as `throttles`. @default none */
  readonly without?: readonly Behaviour[];
}

/** Declares a test: `test` of node:test, `it` of vitest or similar. */
export type DeclareTest = (name: string, run: () => Promise<void>) => unknown;

/** The longest that an attempt, a stop or a close may take, in ms. */
const LONGEST_MS = 5_000;
const CODES = ['destination_rejected', 'destination_timeout', 'destination_unreachable', 'destination_refused'];

/** Declares every test that an adapter has to pass. */
export const testAdapter = (test: DeclareTest, contract: AdapterContract) => {
  const { declare, declareFor } = declareWith(test, contract);

  declare('delivers an event once, with its id, and gives a receipt', async ({ otherSide, deliver }) => {
    const event = sampleEvent();
    checkReceipt(await deliver({ event }));
    assert.equal(otherSide.received.length, 1);
    assert.ok(otherSide.received[0]?.includes(event.event.id), 'receivers recognize duplicates by the event id');
  });

  declare('delivers many at once, each of them once', async ({ otherSide, deliver }) => {
    const events = Array.from({ length: 20 }, sampleEvent);
    for (const receipt of await Promise.all(events.map((event) => deliver({ event })))) checkReceipt(receipt);
    for (const { event } of events) {
      assert.equal(otherSide.received.filter((text) => text.includes(event.id)).length, 1);
    }
  });

  declareFor('accepts at length', 'keeps no more than 16 KB of an answer', async ({ deliver }) => {
    checkReceipt(await deliver());
  });

  declareFor('rejects', 'says so when an event is rejected', async ({ refused }) => {
    assert.equal((await refused()).code, 'destination_rejected');
  });

  declareFor('fails', 'has an event tried again that the destination could not take', async ({ refused }) => {
    const { code, retryable, parks } = await refused();
    assert.deepEqual({ code, retryable, parks }, { code: 'destination_rejected', retryable: true, parks: false });
  });

  declareFor('throttles', 'waits as long as the destination asks', async ({ refused }) => {
    const { retryable, retryAfterMs } = await refused();
    assert.deepEqual({ retryable, retryAfterMs }, { retryable: true, retryAfterMs: 3_000 });
  });

  declareFor('is gone', 'parks a destination that is gone for good', async ({ refused }) => {
    assert.equal((await refused()).parks, true);
  });

  declareFor('redirects', 'takes no redirect for a delivery, and follows none', async ({ otherSide, refused }) => {
    await refused();
    assert.equal(otherSide.received.length, 1);
  });

  declareFor('hangs', 'gives up on a destination that does not answer', async ({ refused }) => {
    const { code, retryable } = await refused();
    assert.deepEqual({ code, retryable }, { code: 'destination_timeout', retryable: true });
  });

  declareFor('cuts', 'has an event tried again whose connection broke', async ({ refused }) => {
    const { code, retryable } = await refused();
    assert.deepEqual({ code, retryable }, { code: 'destination_unreachable', retryable: true });
  });

  declare('has an event tried again when nobody is there', async ({ otherSide, refused }) => {
    await otherSide.close();
    assert.equal((await refused()).retryable, true);
  });

  declareFor('hangs', 'ends an attempt when it is told to stop', async ({ otherSide, refused }) => {
    const stop = new AbortController();
    const refusing = refused({ signal: stop.signal });
    await until(() => otherSide.received.length === 1);
    stop.abort();
    const since = performance.now();
    const { code, retryable } = await refusing;
    assert.deepEqual({ code, retryable }, { code: 'delivery_aborted', retryable: true });
    assert.ok(performance.now() - since < 500, 'at once');
  });

  declare('begins no attempt after it was told to stop', async ({ otherSide, refused }) => {
    assert.equal((await refused({ signal: AbortSignal.abort() })).code, 'delivery_aborted');
    assert.equal(otherSide.received.length, 0);
  });

  declareFor('hangs', 'closes when what is under way has ended', async ({ otherSide, deliverer, refused }) => {
    let hasEnded = false;
    const attempting = refused().finally(() => {
      hasEnded = true;
    });
    await until(() => otherSide.received.length === 1);
    await inTime(deliverer.close());
    // The handlers of the attempt run a moment later.
    await sleep(10);
    assert.ok(hasEnded, 'closed under an attempt');
    await attempting;
  });

  declare('leaves nothing open', async ({ otherSide, deliverer, deliver }) => {
    await deliver();
    await inTime(deliverer.close());
    await until(async () => (await otherSide.connections()) === 0);
  });
};

interface Rig {
  readonly otherSide: OtherSide;
  readonly deliverer: Deliverer;
  deliver(changes?: Partial<DeliveryAttempt>): Promise<DeliveryReceipt>;
  /** The error of an attempt that must not succeed. */
  refused(changes?: Partial<DeliveryAttempt>): Promise<DeliveryError>;
}

type Run = (rig: Rig) => Promise<void>;

/** Gives each test a server and a destination of its own. */
const declareWith = (test: DeclareTest, { open, startOtherSide = startHttpSide, without = [] }: AdapterContract) => {
  const declare = (name: string, run: Run): void => {
    test(name, async () => {
      const otherSide = await startOtherSide();
      const deliverer = open(otherSide.url);
      const rig: Rig = {
        otherSide,
        deliverer,
        deliver: (changes) => inTime(deliverer.deliver(attempt(changes))),
        refused: async (changes) => asDeliveryError(await failureOf(inTime(deliverer.deliver(attempt(changes))))),
      };
      try {
        await run(rig);
      } finally {
        await inTime(deliverer.close()).finally(() => otherSide.close());
      }
    });
  };
  /** Declares nothing for a behaviour that the other side does not have. */
  const declareFor = (behaviour: Behaviour, name: string, run: Run): void => {
    if (without.includes(behaviour)) return;
    declare(name, async (rig) => {
      rig.otherSide.behave(behaviour);
      await run(rig);
    });
  };
  return { declare, declareFor };
};

let samples = 0;

/** Makes a new text message. */
const sampleEvent = (): LoggedEvent => {
  const element = {
    channel: 'whatsapp',
    messageId: `canary-message-${++samples}`,
    from: '27999900001',
    to: '27999900002',
    timestamp: 1_795_402_984_062 + samples,
    content: 'canary-text, naïve, 🎉 and "quoted"',
  };
  const envelope = { integrationId: 'canary-integration', integrationName: 'Canary', event: { moText: [element] } };
  return splitCallback(JSON.stringify(envelope), new Date().toISOString())[0] as LoggedEvent;
};

const attempt = (changes: Partial<DeliveryAttempt> = {}): DeliveryAttempt => {
  const event = changes.event ?? sampleEvent();
  const signal = new AbortController().signal;
  return { deliveryId: deliveryId(event.event.id, 'contract'), number: 1, event, signal, ...changes };
};

const checkReceipt = ({ status, response }: DeliveryReceipt): void => {
  assert.ok(status === null || Number.isInteger(status), 'status is a whole number, or null');
  assert.equal(typeof response, 'string');
  assert.ok(Buffer.byteLength(response) <= MAX_RESPONSE_BYTES, 'response is 16 KB at most');
};

const failureOf = async (delivering: Promise<unknown>): Promise<unknown> => {
  const answered = await delivering.then(
    () => ({ delivered: true }) as const,
    (error: unknown) => ({ error }),
  );
  assert.ok('error' in answered, 'the attempt must not succeed');
  return answered.error;
};

/** Checks the error's members, not its class: an adapter may have its own copy of the class. */
const asDeliveryError = (thrown: unknown): DeliveryError => {
  assert.ok(thrown instanceof Error && thrown.name === 'DeliveryError', `a DeliveryError, got ${String(thrown)}`);
  const error = thrown as DeliveryError;
  assert.ok([...CODES, 'delivery_aborted'].includes(error.code), `a known code, got ${error.code}`);
  assert.equal(typeof error.retryable, 'boolean');
  assert.doesNotMatch(error.message, /canary|27999/i, 'no content, number or secret in a message');
  assert.ok(Buffer.byteLength(error.response ?? '') <= MAX_RESPONSE_BYTES, 'response is 16 KB at most');
  return error;
};

const inTime = async <T>(promise: Promise<T>): Promise<T> => {
  const done = new AbortController();
  const late = sleep(LONGEST_MS, undefined, { signal: done.signal }).then(
    () => assert.fail(`it did not end in ${LONGEST_MS} ms`),
    () => assert.fail('not late'),
  );
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => done.abort());
};

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + LONGEST_MS; !(await condition()); await sleep(10)) {
    assert.ok(performance.now() < deadline, `it did not happen in ${LONGEST_MS} ms`);
  }
};
