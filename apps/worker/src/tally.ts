import type { LoggedEvent } from '@clickrelay/core';
import type { CountedWith, Origin } from '@clickrelay/queue';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An event with what is logged and counted along with it. */
export interface SplitEvent {
  readonly event: LoggedEvent;
  readonly origin: Origin;
  readonly counted: Writable<CountedWith>;
}

/**
 * The events of a group, each once. What came in is counted by the step that logs them, so each brings along what has to
 * be counted with it: a callback comes with its first event, a repetition with the event that it repeats. What has no
 * event of its own, or one that is logged already, comes with the next one.
 */
export interface Tally {
  /** Those to give next. */
  readonly events: readonly SplitEvent[];
  /** What there was no event for to be counted with. */
  readonly left: Readonly<Pick<CountedWith, 'callbacks' | 'repeats'>>;
  /** A callback was taken up. */
  takeUp(): void;
  /** It is none after all. Had some of it been given, it stays counted with that. */
  putBack(): void;
  /** @returns false for a fact that the group held before. */
  add(event: LoggedEvent, origin: Origin): boolean;
  /** The events so far, to be logged. */
  give(): readonly SplitEvent[];
  /** The same when no more will come. */
  giveLast(): readonly SplitEvent[];
}

export const createTally = (): Tally => {
  /** Without the event once it was given: nothing more can be counted with it. */
  const seen = new Map<string, SplitEvent | undefined>();
  let events: SplitEvent[] = [];
  let left = { callbacks: 0, repeats: 0 };

  const give = (): readonly SplitEvent[] => {
    const given = events;
    for (const { event } of given) seen.set(event.event.id, undefined);
    events = [];
    return given;
  };

  return {
    get events() {
      return events;
    },
    get left() {
      return left;
    },
    takeUp: () => {
      left.callbacks++;
    },
    putBack: () => {
      left.callbacks = Math.max(left.callbacks - 1, 0);
    },
    add: (event, origin) => {
      const { id } = event.event;
      const first = seen.get(id);
      if (first !== undefined) {
        first.counted.repeats++;
        first.counted.ownRepeats++;
        return false;
      }
      if (seen.has(id)) {
        left.repeats++;
        return false;
      }
      const split = { event, origin, counted: { ...left, ownRepeats: 0 } };
      left = { callbacks: 0, repeats: 0 };
      seen.set(id, split);
      events.push(split);
      return true;
    },
    give,
    giveLast: () => {
      const last = events.at(-1);
      if (last !== undefined) {
        last.counted.callbacks += left.callbacks;
        last.counted.repeats += left.repeats;
        left = { callbacks: 0, repeats: 0 };
      }
      return give();
    },
  };
};
