import type { Envelope } from './samples.ts';
export interface SenderOptions {
  /**
   * One of the receiver's two callback URLs, or what they have in common: `http://localhost:8080/client-callback`, of
   * which the path may be left out. A `?token=` goes along with each callback.
   */
  url: string;
  auth?:
    | {
        basic: {
          user: string;
          password: string;
        };
      }
    | {
        header: {
          name: string;
          value: string;
        };
      };
  /** POST everything to `url` as it is, as when the portal has one URL for both sorts of callback. @default false */
  singleUrl?: boolean;
  /** How often one callback is sent at most, the first time included. @default 5 */
  tries?: number;
  /** Before the second try, in ms; doubles each time. @default 100 */
  startDelayMs?: number;
  /** For one answer, in ms. Clickatell names no number. @default 10000 */
  timeoutMs?: number;
  /** Connections to keep open. @default 64 */
  connections?: number;
}
export interface SendResult {
  /** 2xx: accepted. 3xx: lost at once, Clickatell does not retry it. Otherwise lost after the last try. */
  accepted: boolean;
  /** Of the last answer; 0 when there was none. */
  status: number;
  tries: number;
  /** From sending the last try to its answer, in ms. */
  ms: number;
  /** The last answer's body, or what went wrong when there was none. */
  answer: string;
}
export interface SendManyOptions {
  /** @default as fast as the connections allow */
  ratePerSecond?: number;
  /** Share of the callbacks, 0 to 1, that are sent twice. @default 0 */
  duplicate?: number;
  /** Order is lost among this many neighbours. @default 1, in order */
  shuffle?: number;
  /** Callbacks in flight at once. @default 16 */
  connections?: number;
  /** Stops sending; what is in flight is finished or given up. */
  signal?: AbortSignal;
  onResult?: (result: SendResult, envelope: Envelope | string | Uint8Array) => void;
  /** @default Math.random */
  random?: () => number;
}
export interface SendReport {
  /** Callbacks sent, duplicates included, resends not. */
  sent: number;
  accepted: number;
  /** Tries beyond the first. */
  resent: number;
  lost: number;
  /** Of the accepted, the time to answer of the try that was accepted, in ms. */
  p50: number;
  p99: number;
  /** From the first callback to the last answer, in ms. */
  durationMs: number;
  /** How often each last status was seen; `0` is no answer. */
  statuses: Record<string, number>;
}
export interface Sender {
  /** Sends one callback as Clickatell does; text and bytes go out as they are. Never throws for what the receiver does. */
  send(
    envelope: Envelope | string | Uint8Array,
    options?: {
      signal?: AbortSignal;
    },
  ): Promise<SendResult>;
  sendMany(envelopes: Iterable<Envelope | string | Uint8Array>, options?: SendManyOptions): Promise<SendReport>;
  close(): Promise<void>;
}
/**
 * A pretend Clickatell. It keeps the documented rules: a 2xx acknowledges, a redirect loses the callback, anything else
 * is sent again (https://help.clickatell.com/developers-api-reference/reference/one-api-client-callbacks).
 * @throws {TypeError} when `url` is none
 */
export declare const createSender: (options: SenderOptions) => Sender;
