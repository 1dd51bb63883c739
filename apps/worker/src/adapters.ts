import type { Deliverer, OpenedFor, PluggedAdapter } from '@clickrelay/core';
import { webhookAdapter, webhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { guardDeliverer } from './guard-deliverer.ts';

/** Opens the deliverer of a destination, by its type. The one list of adapters: ours, and those of `ADAPTERS`. */
export interface Adapters {
  /**
   * @returns undefined for types that are not delivered to: a pull destination's consumers come and lease.
   * @throws {ZodError} when the configuration does not fit the adapter.
   */
  open(type: string, config: unknown, opened?: OpenedFor): { deliverer: Deliverer; concurrency: number } | undefined;
}

const concurrency = z.object({ concurrency: z.int().min(1).default(32) });

export interface AdaptersOptions {
  readonly egressAllow: string[];
  readonly userAgent: string;
  readonly plugged?: readonly PluggedAdapter[];
}

export const createAdapters = ({ plugged = [], ...options }: AdaptersOptions): Adapters => {
  const webhook = webhookAdapter(options);
  return {
    open: (type, config, openedFor) => {
      const other = plugged.find((adapter) => adapter.type === type);
      if (other !== undefined) {
        const deliverer = other.open(other.config.parse(config) as never);
        return { deliverer: guardDeliverer(type, deliverer), ...concurrency.parse(config) };
      }
      if (type !== webhook.type) return undefined;
      const parsed = webhookConfig.parse(config);
      return { deliverer: webhook.open(parsed, openedFor), concurrency: parsed.concurrency };
    },
  };
};
