import { type Event, matchesEventType, STATUS_TYPE, type Wish, wantsEvent } from '@clickrelay/core';
import { compileFilter, type Filter } from './filter.ts';

/** What decides which events go to a destination. */
export interface Selection extends Wish {
  /** An expression over `event`; everything when left out. */
  readonly filter?: string;
}

/** One of the things that a destination asks of an event. */
export interface Rule {
  readonly rule: 'events' | 'channels' | 'classes' | 'filter';
  readonly passed: boolean;
  /** What it wants, and what this event is, in a few words; nothing of the message. */
  readonly detail: string;
}

export interface Route {
  wants(event: Event): boolean;
  /** Every rule that the destination has, in the order they are looked at, also behind one that failed. */
  explain(event: Event): Rule[];
}

/**
 * Compiles what a destination wants.
 * @throws {InvalidFilterError}
 */
export const openRoute = (selection: Selection): Route => {
  const { filter: text, events, channels, classes } = selection;
  const filter: Filter | undefined = text === undefined ? undefined : compileFilter(text);

  return {
    wants: (event) => wantsEvent(selection, event) && (filter === undefined || filter(event).matches),
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
