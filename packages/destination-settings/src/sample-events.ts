import { type Event, KNOWN_EVENT_TYPES, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator/samples';

let made: readonly Event[] | undefined;

/** One event of each type that Clickatell documents, from its own samples. */
export const sampleEvents = (): readonly Event[] => {
  made ??= KNOWN_EVENT_TYPES.flatMap((type) =>
    splitCallback(JSON.stringify(samples.byType[type]), '2026-01-01T00:00:00.000Z').map(({ event }) => event),
  );
  return made;
};
