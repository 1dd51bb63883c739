import type { Deliverer, OpenedFor, PluggedAdapter } from '@clickrelay/core';
import { webhookAdapter, webhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { guardDeliverer } from './guard-deliverer.ts';

/** Opens the deliverer of a destination, by its type. The one list of adapters: ours, and those of `ADAPTERS`. */
export interface Adapters {
  /** The types that are delivered to. */
  readonly types: readonly string[];
  /**
   * @returns undefined for types that are not delivered to: `pull`, and those of no adapter.
   * @throws {ZodError} when the configuration does not fit the adapter.
   */
  open(type: string, config: unknown, opened?: OpenedFor): { deliverer: Deliverer; concurrency: number } | undefined;
}

/** The type that is not delivered to: its consumers come and lease. */
export const PULL = 'pull';

/** The type of a destination is neither ours nor of a module in `ADAPTERS`. */
export class AdapterMissingError extends Error {
  override readonly name = 'AdapterMissingError';
  readonly code = 'adapter_missing';

  constructor(type: string) {
    super(`no adapter for the type ${type} is loaded: add its module to ADAPTERS, or change the type`);
  }
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
    types: [webhook.type, ...plugged.map(({ type }) => type)],
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
