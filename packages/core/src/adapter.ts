import type { z } from 'zod';
import type { LoggedEvent } from './event.ts';
import type { formatEvent } from './formats.ts';

/** One try at handing one event to one destination. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  /** Counted from 1; a replay continues the count. */
  readonly number: number;
  readonly event: LoggedEvent;
  /** Aborted when the process stops before the attempt has ended. */
  readonly signal: AbortSignal;
  /** A person is trying out the destination with a sample. The adapter tells the destination so. */
  readonly isTest?: boolean;
  /** W3C `traceparent` of this attempt, to pass on; set only while tracing is on. */
  readonly traceparent?: string;
}

/** The destination's answer to an attempt that succeeded. */
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
  /** Lets running attempts end, then closes connections. */
  close(): Promise<void>;
}

/** Who opens a deliverer, and wants to hear of what it notices. */
export interface OpenedFor {
  /** Told at a handshake, now and then, when the certificate of the destination ends, in ms since 1970. */
  onCertificate?(endsAt: number): void;
}

/** Delivers to one sort of destination. */
export interface Adapter<Config> {
  /** The `type` of the destinations it serves. */
  readonly type: string;
  open(config: Config, openedFor?: OpenedFor): Deliverer;
}

/** An adapter from outside this repository, in the form that the worker and the API load. */
export interface PluggedAdapter {
  /** The `type` of its destinations: lower-case letters, digits and `-`. */
  readonly type: string;
  /** The settings of one destination, beside those that every destination has. */
  readonly config: z.ZodObject;
  /**
   * The fields of `config` that anybody who may read destinations sees, with everything inside them. The API keeps all
   * other fields secret.
   * @default none
   */
  readonly shown?: readonly string[];
  /** @param config the settings as parsed by `config` */
  open(config: never): Deliverer;
}

/** Handed to a plugged-in adapter, so that it needs neither packages of its own nor a second copy of these. */
export interface AdapterTools {
  readonly z: typeof z;
  readonly DeliveryError: typeof DeliveryError;
  readonly formatEvent: typeof formatEvent;
}

/** The default export of a module that `ADAPTERS` names. */
export type AdapterModule = (tools: AdapterTools) => PluggedAdapter;

export interface DeliveryErrorOptions {
  /** Whether the same attempt may succeed later. Only the thrower knows. */
  readonly retryable: boolean;
  /** How long the destination asked us to wait, in ms, before clamping. */
  readonly retryAfterMs?: number;
  /** The destination answered that it is gone for good (410): stop sending to it. */
  readonly parks?: boolean;
  readonly status?: number;
  /** The first 16 KB of the answer, as text. Kept with the attempt; it never appears in a log line or a message. */
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
  // Only for leases.
  | 'nacked'
  | 'lease_expired'
  | 'crashes_consumer';

/** A failed delivery attempt. `message` is for people; it holds neither a secret nor message content. */
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
