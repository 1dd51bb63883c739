import { KNOWN_EVENT_TYPES, matchesEventType, nearMiss } from '@clickrelay/core';
import type { z } from 'zod';

/*
 * Event types and channels that a destination names. Clickatell adds some, so an unknown one is told and accepted; one
 * that is nearly a known one is refused: it would wait for ever.
 */

const KNOWN_CHANNELS = ['sms', 'whatsapp'];

const check =
  (what: string, known: readonly string[], newOne: (name: string) => string) =>
  ({ value, issues }: z.core.ParsePayload<string[]>): void => {
    for (const [index, name] of value.entries()) {
      const near = name.includes('*') ? undefined : nearMiss(name, known);
      if (near === undefined) continue;
      const message = `${name} is no ${what} that is known; did you mean ${near}? ${newOne(name)}`;
      issues.push({ code: 'custom', message, path: [index], input: undefined });
    }
  };

export const checkEventTypes = check(
  'event type',
  KNOWN_EVENT_TYPES,
  (name) => `If Clickatell added it, write ${name}*`,
);
export const checkChannels = check('channel', KNOWN_CHANNELS, () => 'If it is a new one, use a filter');

interface Named {
  readonly events: readonly string[];
  readonly channels?: readonly string[] | undefined;
}

/** Names that no event is known to have. */
export const warningsOfNames = ({ events, channels = [] }: Named): string[] => [
  ...events
    .filter((pattern) => !KNOWN_EVENT_TYPES.some((type) => matchesEventType(pattern, type)))
    .map((pattern) => `no known event type matches ${pattern}; known are ${KNOWN_EVENT_TYPES.join(', ')}`),
  ...channels
    .filter((channel) => !KNOWN_CHANNELS.includes(channel))
    .map((channel) => `${channel} is no channel that is known; known are ${KNOWN_CHANNELS.join(', ')}`),
];
