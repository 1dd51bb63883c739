import type { DeadLetter } from '@clickrelay/queue';
import { type Api, allItems, connectApi } from '../api-client.ts';
import { usageError } from '../errors.ts';
import { type Context, show } from './context.ts';

export interface ReplayOptions {
  all?: boolean;
  destination?: string;
}

/** Sends a delivery again, dead or delivered; or every dead letter. */
export async function replay(deliveryId: string | undefined, options: ReplayOptions, context: Context): Promise<void> {
  if ((deliveryId === undefined) === (options.all !== true)) {
    throw usageError('give the id of a delivery (dlv_…), or --all for every dead letter');
  }
  const api = connectApi(context.config);
  if (deliveryId !== undefined) {
    await replayOne(api, deliveryId);
    show(context, { replayed: [deliveryId] }, () => `${deliveryId} is sent again`);
    return;
  }
  // Read to the end first: what is replayed leaves the list that is being read.
  const ids: string[] = [];
  const query = { limit: 100, destination: options.destination };
  for await (const letter of allItems<DeadLetter>(api, '/v1/dead-letters', query)) ids.push(letter.deliveryId);
  for (const id of ids) await replayOne(api, id);
  show(context, { replayed: ids }, () => `${ids.length} dead letter${ids.length === 1 ? ' is' : 's are'} sent again`);
}

async function replayOne(api: Api, deliveryId: string): Promise<void> {
  await api.post(`/v1/deliveries/${encodeURIComponent(deliveryId)}/replay`);
}
