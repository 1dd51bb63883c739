import { eachEvent, InvalidCallbackError, LARGE_CALLBACK_BYTES, type Lane, type LoggedEvent } from '@clickrelay/core';
import {
  type IngestGroup,
  quarantineCallback,
  readLargePieces,
  reportTest,
  type Store,
  TEST_MESSAGE,
} from '@clickrelay/queue';
import type { Logger } from 'pino';
import type { Outlet } from './outlet.ts';
import type { LargeSplitter } from './split-large.ts';
import type { SplitEvent, Tally } from './tally.ts';
import type { IngestSpan, Traces } from './traces.ts';

export interface SplitContext {
  readonly lane: Lane;
  readonly store: Store;
  readonly traces: Traces | undefined;
  readonly log: Logger;
  readonly splitLarge: LargeSplitter['split'];
  /** Another array after every change: what was routed before it no longer holds. */
  outlets(): readonly Outlet[];
  /**
   * Resolves when the outlets are those of every destination that was put before this call.
   * @param version the registry's version at an earlier moment: then those that were put before that moment are enough
   */
  lookAtDestinations(version?: string | null): Promise<void>;
}

/**
 * A callback may hold hundreds of thousands of events: this many are logged and delivered before the next are split.
 */
const MOST_EVENTS_AT_ONCE = 1_000;
/**
 * So many events of a callback wait for their destinations with those of other callbacks, and the rest behind them: a
 * callback of a hundred thousand must not hold up everybody else's.
 */
const MOST_IN_TURN = 100;
/** Lets the process serve others after this much work, in ms. */
const LONGEST_STRETCH_MS = 20;

/**
 * The events of a group, each once, some at a time. A callback that the receiver took but that cannot be split goes to
 * quarantine.
 * @param spans Takes the span of each callback, when traces are asked for.
 */
export async function* splitGroup(
  context: SplitContext,
  callbacks: IngestGroup['callbacks'],
  { spans, tally }: { spans: IngestSpan[]; tally: Tally },
): AsyncGenerator<readonly SplitEvent[], void> {
  let since = performance.now();
  for (const [index, { text, large, receivedAt, trace }] of callbacks.entries()) {
    const span = context.traces?.ingest(trace);
    if (span !== undefined) spans.push(span);
    const pieces = large && (await readLargePieces(context.store, large));
    if (large !== undefined && pieces === undefined) {
      // Its events were delivered or queued before it went: this group is repeated after a crash.
      context.log.warn({ receivedAt }, 'callback.gone');
      continue;
    }
    const size = pieces === undefined ? Buffer.byteLength(text) : sizeOf(pieces);
    const origin = { index, size, elements: 0, groupSize: callbacks.length };
    let elements = 0;
    tally.takeUp();
    try {
      for await (const some of splitBySize(context, pieces ?? text, receivedAt)) {
        for (const logged of some) {
          elements++;
          if (looksLikeTest(logged) && (await tellOfTest(context, logged))) tally.putBack();
          else if (tally.add(logged, origin, elements > MOST_IN_TURN)) span?.note(logged);
          if (tally.events.length === MOST_EVENTS_AT_ONCE) yield tally.give();
          if (performance.now() - since > LONGEST_STRETCH_MS) {
            await nextTurn();
            since = performance.now();
          }
        }
      }
      origin.elements = elements;
    } catch (error) {
      if (!(error instanceof InvalidCallbackError)) throw error;
      tally.putBack();
      const body = pieces === undefined ? Buffer.from(text) : join(pieces);
      const id = await quarantineCallback(context.store, { body, reason: error.message, receivedAt });
      context.log.warn({ quarantined: id, reason: error.message }, 'callback.quarantined');
    }
  }
  if (tally.events.length > 0) yield tally.giveLast();
}

const looksLikeTest = ({ event }: LoggedEvent): boolean => event.messageId?.startsWith(TEST_MESSAGE) ?? false;

/** When a person sent it to see that the way is clear, reports what would have become of it. */
const tellOfTest = async (context: SplitContext, { event }: LoggedEvent): Promise<boolean> => {
  await context.lookAtDestinations();
  const wanting = context.outlets().filter((outlet) => outlet.wants(event));
  return await reportTest(context.store, event.id, {
    lane: context.lane,
    receivedAt: event.receivedAt,
    splitAt: new Date().toISOString(),
    eventType: event.type,
    valid: event.valid !== false,
    wantedBy: wanting.map(({ id }) => id),
  });
};

/** The events of one callback, some at a time: those of a large one as they come from another thread. */
async function* splitBySize(
  { splitLarge }: SplitContext,
  text: string | readonly SharedArrayBuffer[],
  receivedAt: string,
): AsyncGenerator<Iterable<LoggedEvent>, void> {
  if (typeof text === 'string') yield eachEvent(text, receivedAt);
  else if (sizeOf(text) > LARGE_CALLBACK_BYTES) yield* splitLarge(text, receivedAt);
  else yield eachEvent(join(text).toString(), receivedAt);
}

const sizeOf = (pieces: readonly SharedArrayBuffer[]): number =>
  pieces.reduce((bytes, piece) => bytes + piece.byteLength, 0);

const join = (pieces: readonly SharedArrayBuffer[]): Buffer => Buffer.concat(pieces.map((piece) => Buffer.from(piece)));

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
