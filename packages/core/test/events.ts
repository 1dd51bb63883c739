import { parseCallback } from '../src/callback.ts';
import type { Event, LoggedEvent } from '../src/event.ts';
import { restoreEvent, splitCallback } from '../src/event.ts';

export const RECEIVED_AT = '2026-11-23T08:00:00.000Z';

/** The events of a callback's body. */
export const split = (body: Uint8Array): LoggedEvent[] => splitCallback(parseCallback(body).text, RECEIVED_AT);

/** The event of one element, from the element's JSON text. */
export const restore = (type: string, source: string): LoggedEvent =>
  restoreEvent({ type, integrationId: 'i', integrationName: null, receivedAt: RECEIVED_AT, source });

/** The event of one element. */
export const eventOf = (type: string, element: unknown): Event => restore(type, JSON.stringify(element)).event;
