import type { z } from 'zod';
import type { LoggedEvent } from './event.ts';
import type { formatEvent } from './formats.ts';

/** One try at handing one event to one destination. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  /** Numbered from 1; replays go on counting. */
  readonly number: number;
  readonly event: LoggedEvent;
  /** Aborted when the process stops before the attempt has ended. */
  readonly signal: AbortSignal;
  /** Nothing happened: a person tries the destination out with a sample. The adapter tells the destination so. */
  readonly isTest?: boolean;
  /** W3C `traceparent` of this attempt, to be handed on; only while traces are asked for. */
  readonly traceparent?: string;
}

/** What a destination answered to an attempt that succeeded. */
export interface DeliveryReceipt {
  /** HTTP status, or null for adapters that do not speak HTTP. */
  readonly status: number | null;
  /** The first 16 KB of the answer, as text. */
  readonly response: string;
}

/** An adapter bound to the configuration of one destination. */
export interface Deliverer {
  /**
   * Resolves when the destination has accepted the event.
   * @throws {DeliveryError} in every other case.
   */
  deliver(attempt: DeliveryAttempt): Promise<DeliveryReceipt>;
  /** Closes connections; attempts that are under way end first. */
  close(): Promise<void>;
}

/** Code that can deliver to one sort of destination. */
export interface Adapter<Config> {
  /** The `type` of the destinations that it serves. */
  readonly type: string;
  open(config: Config): Deliverer;
}

/** An adapter that is not ours, as the worker and the API take it. */
export interface PluggedAdapter {
  /** The `type` of its destinations: lower-case letters, digits and `-`. */
  readonly type: string;
  /** Of one destination, beside what every destination has. */
  readonly config: z.ZodObject;
  /**
   * Names of those fields of `config` that anybody who may read destinations is shown, each with all that is in it. What
   * is not named is a secret to the API.
   * @default none
   */
  readonly shown?: readonly string[];
  /** @param config what `config` has made of the settings */
  open(config: never): Deliverer;
}

/** Ours, so that an adapter needs no packages of its own, and no second copy of these. */
export interface AdapterTools {
  readonly z: typeof z;
  readonly DeliveryError: typeof DeliveryError;
  readonly formatEvent: typeof formatEvent;
}

/** What a module that `ADAPTERS` names has as its default export. */
export type AdapterModule = (tools: AdapterTools) => PluggedAdapter;

export interface DeliveryErrorOptions {
  /** Whether the same attempt may succeed later. The thrower knows; nobody else guesses. */
  readonly retryable: boolean;
  /** How long the destination asked us to wait, in ms, before clamping. */
  readonly retryAfterMs?: number;
  /** The destination said that it is gone for good (410): stop sending to it. */
  readonly parks?: boolean;
  readonly status?: number;
  /** The first 16 KB of the answer, as text. Kept in the attempt log, never put into a log line or a message. */
  readonly response?: string;
  readonly cause?: unknown;
}

export type DeliveryErrorCode =
  | 'destination_rejected'
  | 'destination_timeout'
  | 'destination_unreachable'
  | 'destination_refused'
  | 'token_unavailable'
  | 'delivery_not_built'
  | 'delivery_aborted'
  // Of leases.
  | 'nacked'
  | 'lease_expired'
  | 'crashes_consumer';

/** A delivery attempt that did not succeed. `message` is for people and holds no secret and no message content. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: DeliveryErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly parks: boolean;
  readonly status: number | undefined;
  readonly response: string | undefined;

  constructor(code: DeliveryErrorCode, message: string, options: DeliveryErrorOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.parks = options.parks ?? false;
    this.status = options.status;
    this.response = options.response;
  }
}
