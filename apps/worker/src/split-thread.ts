import { eachEvent, InvalidCallbackError, type LoggedEvent } from '@clickrelay/core';
import { answerJobs } from '@clickrelay/service/thread';

/** `begin` a callback, ask for the `next` events until there are no more, or `end` it when nobody wants the rest. */
export type SplitJob =
  | {
      readonly step: 'begin';
      readonly id: number;
      /** The bytes of the callback's text, in order. */
      readonly pieces: readonly SharedArrayBuffer[];
      readonly receivedAt: string;
    }
  | { readonly step: 'next' | 'end'; readonly id: number };

export interface SplitAnswer {
  readonly events: readonly LoggedEvent[];
  readonly isLast: boolean;
  /** Why it cannot be split. */
  readonly refused?: string;
}

/** Events handed over at a time, and their length in characters: the other side takes a few milliseconds for them. */
const MAX_EVENTS_AT_ONCE = 200;
const ENOUGH_LENGTH_AT_ONCE = 256 * 1024;

const begun = new Map<number, Generator<LoggedEvent, void>>();

const takeSome = (rest: Generator<LoggedEvent, void>): SplitAnswer => {
  const events: LoggedEvent[] = [];
  try {
    for (let characters = 0; events.length < MAX_EVENTS_AT_ONCE && characters < ENOUGH_LENGTH_AT_ONCE; ) {
      const { value, done } = rest.next();
      if (done || value === undefined) return { events, isLast: true };
      characters += value.source.length;
      events.push(value);
    }
    return { events, isLast: false };
  } catch (error) {
    if (!(error instanceof InvalidCallbackError)) throw error;
    return { events: [], isLast: true, refused: error.message };
  }
};

answerJobs((job: SplitJob): { result: SplitAnswer } => {
  if (job.step === 'begin') {
    const text = Buffer.concat(job.pieces.map((piece) => Buffer.from(piece))).toString();
    begun.set(job.id, eachEvent(text, job.receivedAt));
    return { result: { events: [], isLast: false } };
  }
  const rest = begun.get(job.id);
  if (job.step === 'end') begun.delete(job.id);
  else if (rest === undefined) throw new Error('this callback was begun on a thread that died');
  else {
    const answer = takeSome(rest);
    if (answer.isLast) begun.delete(job.id);
    return { result: answer };
  }
  return { result: { events: [], isLast: true } };
});
