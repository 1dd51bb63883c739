import type { LoggedEvent } from '@clickrelay/core';
import type { CountedWith, Origin } from '@clickrelay/queue';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An event with what is logged and counted along with it. */
export interface SplitEvent {
  readonly event: LoggedEvent;
  readonly origin: Origin;
  readonly counted: Writable<CountedWith>;
  /** It comes late in a large callback: events of other callbacks go first. */
  readonly isLate: boolean;
}

/**
 * The events of a group, each once. The step that logs events also counts what came in, so each event brings along what
 * is to be counted with it: a callback is counted with its first event, a repeat with the event that it repeats. A
 * callback or repeat without an event of its own, or whose event is logged already, is counted with the next event.
 */
export interface Tally {
  /** Those to give next. */
  readonly events: readonly SplitEvent[];
  /** What no event was left to be counted with. */
  readonly left: Readonly<Pick<CountedWith, 'callbacks' | 'repeats'>>;
  /** A callback was taken up. */
  takeUp(): void;
  /** It is not a callback after all. If some of its events were given already, it stays counted with those. */
  putBack(): void;
  /** @returns false for a repeat of an event of the group */
  add(event: LoggedEvent, origin: Origin, isLate?: boolean): boolean;
  /** The events so far, to be logged. */
  give(): readonly SplitEvent[];
  /** The same when no more will come. */
  giveLast(): readonly SplitEvent[];
}

export const createTally = (): Tally => {
  /** Undefined once the event was given: nothing more can be counted with it. */
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
    add: (event, origin, isLate = false) => {
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
      const split = { event, origin, counted: { ...left, ownRepeats: 0 }, isLate };
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
