import type { EventType } from './callback.ts';

/** One element of one array of a callback. See docs/concepts.md. */
export interface Event {
  /** `evt_` + 22 characters: the same fact has the same id for ever. The idempotency key everywhere. */
  readonly id: string;
  readonly type: EventType;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  /** Trimmed; free text, Clickatell adds channels. */
  readonly channel: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly messageId: string | null;
  readonly relatedMessageId: string | null;
  readonly clientMessageId: string | null;
  /** The element's own `timestamp`, ISO 8601 in UTC. */
  readonly occurredAt: string | null;
  readonly receivedAt: string;
  /** Present, and false, when the element does not fit its known type; `issues` says why. */
  readonly valid?: false;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
  /** Typed by `type`; empty for a type that Clickrelay does not know. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The element as parsed from the wire. */
  readonly raw: unknown;
}

/** An event together with its element's own JSON text, cut from the callback: what the log keeps and the formats send. */
export interface LoggedEvent {
  readonly event: Event;
  readonly source: string;
}
