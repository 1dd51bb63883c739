import { type DeliveryAttempt, DeliveryError, deliveryId, type LoggedEvent, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';

const [logged] = splitCallback(JSON.stringify(samples.byType.moText), '2026-11-22T10:00:00.000Z');
if (logged === undefined) throw new Error('the moText sample holds no event');

/** The documented moText. */
export const sampleEvent: LoggedEvent = logged;

export const sampleAttempt = (changes: Partial<DeliveryAttempt> = {}): DeliveryAttempt => {
  const event = changes.event ?? sampleEvent;
  return {
    deliveryId: deliveryId(event.event.id, 'crm'),
    number: 1,
    event,
    signal: new AbortController().signal,
    ...changes,
  };
};

/** The error of a delivery that must not succeed. */
export const failure = async (delivering: Promise<unknown>): Promise<DeliveryError> => {
  const outcome = await delivering.catch((error: unknown) => error);
  if (outcome instanceof DeliveryError) return outcome;
  throw new Error('expected a DeliveryError', { cause: outcome });
};
