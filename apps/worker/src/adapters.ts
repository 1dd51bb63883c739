import type { Deliverer } from '@clickrelay/core';
import { webhookAdapter, webhookConfig } from '@clickrelay/webhook-forwarder';

/** Opens the deliverer of a destination, by its type. The one list of adapters. */
export interface Adapters {
  /**
   * @returns undefined for types that are not delivered to: a pull destination's consumers come and lease.
   * @throws {ZodError} when the configuration does not fit the adapter.
   */
  open(type: string, config: unknown): { deliverer: Deliverer; concurrency: number } | undefined;
}

export const createAdapters = (options: { egressAllow: string[]; userAgent: string }): Adapters => {
  const webhook = webhookAdapter(options);
  return {
    open: (type, config) => {
      if (type !== webhook.type) return undefined;
      const parsed = webhookConfig.parse(config);
      return { deliverer: webhook.open(parsed), concurrency: parsed.concurrency };
    },
  };
};
