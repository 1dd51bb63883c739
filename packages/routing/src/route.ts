import { type Event, matchesEventType, STATUS_TYPE, type Wish, wantsEvent } from '@clickrelay/core';
import { compileFilter, type Filter } from './filter.ts';

/** The settings that decide which events go to a destination. */
export interface Selection extends Wish {
  /** An expression over `event`; all events match when it is left out. */
  readonly filter?: string;
}

/** One condition that a destination sets. */
export interface Rule {
  readonly rule: 'events' | 'channels' | 'classes' | 'filter';
  readonly passed: boolean;
  /** What the destination wants and what the event is, in a few words, without message content. */
  readonly detail: string;
}

export interface Route {
  wants(event: Event): boolean;
  /** Every rule of the destination in the order of checking, even after one that failed. */
  explain(event: Event): Rule[];
}

/** Told of each event for which the filter was given up: it took too long, and counts as no. */
export type OnGivenUp = (problem: string) => void;

/**
 * Compiles the conditions of a destination.
 * @throws {InvalidFilterError}
 */
export const openRoute = (selection: Selection, onGivenUp?: OnGivenUp): Route => {
  const { filter: text, events, channels, classes } = selection;
  const filter: Filter | undefined = text === undefined ? undefined : compileFilter(text);

  const passes = (decide: Filter, event: Event): boolean => {
    const { matches, problem, gaveUpAt } = decide(event);
    if (gaveUpAt !== undefined) onGivenUp?.(problem ?? '');
    return matches;
  };

  return {
    wants: (event) => wantsEvent(selection, event) && (filter === undefined || passes(filter, event)),
    explain: (event) => {
      const rules: Rule[] = [
        {
          rule: 'events',
          passed: events.some((pattern) => matchesEventType(pattern, event.type)),
          detail: `wants ${events.join(', ')}; this is ${event.type}`,
        },
      ];
      if (channels !== undefined) {
        const passed = wantsEvent({ events: ['*'], channels }, event);
        rules.push({ rule: 'channels', passed, detail: `wants ${channels.join(', ')}; this is ${event.channel}` });
      }
      if (classes !== undefined && event.type === STATUS_TYPE) {
        const passed = wantsEvent({ events: ['*'], classes }, event);
        const statusClass = String(event.data['class'] ?? 'unknown');
        rules.push({ rule: 'classes', passed, detail: `wants ${classes.join(', ')}; this is ${statusClass}` });
      }
      if (filter !== undefined) {
        const { matches, problem } = filter(event);
        const detail = problem === undefined ? String(matches) : `cannot be decided, which counts as no: ${problem}`;
        rules.push({ rule: 'filter', passed: matches, detail });
      }
      return rules;
    },
  };
};
