import { type Event, matchesEventType } from '@clickrelay/core';
import type { Destination } from '@clickrelay/queue';

/** Whether a destination wants an event. Paused ones still want theirs: they wait. */
export const wants = (destination: Pick<Destination, 'events'>, event: Pick<Event, 'type'>): boolean =>
  destination.events.some((pattern) => matchesEventType(pattern, event.type));
