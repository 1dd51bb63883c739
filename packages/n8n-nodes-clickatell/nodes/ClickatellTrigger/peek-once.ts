import type { INodeExecutionData, ITriggerFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { RelayError } from '../shared/call-relay.ts';
import { toItem } from '../shared/item.ts';
import { pause } from '../shared/pause.ts';
import type { WantedEvents } from '../shared/wanted-events.ts';
import { explain } from './explain.ts';
import type { Relay } from './relay.ts';
import { sampleEvent } from './sample-event.ts';

/** How often to look while there is nothing to show. */
const LOOK_MS = 2000;

/**
 * Finds one event for "Listen for test event". Peeks without leasing it, so that a test takes nothing from production.
 * Does not create a missing destination either, because its events would wait and all start workflows on activation;
 * returns Clickatell's documented sample instead.
 */
export const peekOnce = async (
  n8n: ITriggerFunctions,
  relay: Relay,
  {
    where,
    wanted,
    withoutRaw,
    signal,
  }: { where: Parameters<typeof explain>[1]; wanted: WantedEvents; withoutRaw: boolean; signal: AbortSignal },
): Promise<INodeExecutionData | undefined> => {
  while (!signal.aborted) {
    try {
      const peeked = await relay.peek();
      if (peeked !== undefined) return toItem(peeked.event, { attempt: peeked.attempt ?? 1, test: true, withoutRaw });
    } catch (error) {
      if (!(error instanceof RelayError)) throw new NodeOperationError(n8n.getNode(), error as Error);
      if (error.isUnknownDestination) return toItem(sampleEvent(wanted), { attempt: 1, test: true, withoutRaw });
      throw new NodeOperationError(n8n.getNode(), error, explain(error, where));
    }
    await pause(LOOK_MS, signal);
  }
  return undefined;
};
