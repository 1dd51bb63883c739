// Made by scripts/interface-docs.ts from docs/openapi.json. Change the schemas of the API, then run it.

export type DestinationDeclaration = {
  /** Events are POSTed to `url`. */
  type: "webhook";
  /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
  events?: (string)[];
  channels?: (string)[];
  /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
  classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[];
  filter?: string;
  /** Where events are POSTed: https, or http for addresses that EGRESS_ALLOW opens; no user name, no fragment. */
  url: string;
  /** Standard Webhooks secret: whsec_… (HMAC) or whsk_… (Ed25519), or a list of all live ones during a rotation. Default: generated. */
  secret?: string | (string | {
    secret: string;
    /** It signs until then. */
    until: string;
  })[];
  /** The body: our event, the original envelope with one element, or a CloudEvent. */
  format?: "event" | "clickatell" | "cloudevents" | "cloudevents-binary";
  /** A JSONata expression over the event; its result is sent instead, as the body or as the data of the CloudEvent. */
  transform?: string;
  /** Extra headers of each delivery, such as an API key. */
  headers?: {
    [other: string]: string;
  };
  /** How the destination recognizes us, beside the signature: bearer, basic or oauth2. */
  auth?: {
    type: "bearer";
    token?: string;
  } | {
    type: "basic";
    username: (unknown) & (unknown);
    password?: string;
  } | {
    type: "oauth2";
    /** Where to fetch access tokens; the same rules hold as for `url`. */
    tokenUrl: string;
    clientId: string;
    clientSecret?: string;
    /** How the token is asked for: with HTTP basic authentication (`header`, the default), or with id and secret in the form (`body`), for services that want that or read the header in a way of their own. */
    secretIn?: "header" | "body";
    /** The scope to ask for; separate several with spaces. */
    scope?: string;
    /** Who the token is for, if the server wants to know. */
    audience?: string;
  };
  /** A client certificate, and authorities to trust, for connections to `url`, which must be https. */
  tls?: {
    /** Our certificate, with those between it and its authority, as PEM. */
    cert?: string;
    /** Its private key, as PEM without a passphrase. */
    key?: "(hidden)" | string;
    /** The authorities that the destination's certificate may come from, as PEM, in place of the usual ones. */
    ca?: string;
  };
  /** An HTTP proxy that all connections of this destination go through (CONNECT). */
  proxy?: {
    /** The proxy, such as http://proxy.example.com:3128; the same rules hold as for `url`. */
    url: string;
    username?: (unknown) & (unknown);
    password?: string;
  };
  /** What the first 16 KB of the body of a 2xx answer must say for the delivery to count as delivered. */
  successWhen?: {
    /** Text that the body must hold, as it is. */
    contains: string;
  } | {
    /** A place in the body, which must be JSON, such as /result/ok (RFC 6901). */
    pointer: string;
    /** What must stand there. */
    equals: string | number | boolean | null;
  };
  /** Time limit of one attempt in ms, from resolving the name to the status line of the answer. */
  timeoutMs?: number;
  /** How many connections may be open to the destination at once. */
  concurrency?: number;
  /** At most so many attempts in a time, over all workers: `50/s`, `600/m`. Default: no limit. */
  rate?: string;
  /** `conversation`: events of one pair of `from` and `to` one after the other, in the order they came; other pairs do not wait for them. Default: `none`. */
  ordering?: "none" | "conversation";
  /** The longest wait before each attempt: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the worker. */
  retrySchedule?: string;
} | {
  /** Events wait until a consumer leases them. */
  type: "pull";
  /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
  events?: (string)[];
  channels?: (string)[];
  /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
  classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[];
  filter?: string;
  /** At most so many deliveries handed out in a time, over all processes: `50/s`, `600/m`. Default: no limit. */
  rate?: string;
  /** `conversation`: of one pair of `from` and `to` one delivery is leased at a time, in the order they came; other pairs do not wait for them. Default: `none`. */
  ordering?: "none" | "conversation";
  /** The longest wait before a delivery that was given back comes again: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the API. */
  retrySchedule?: string;
};

/** Fields of `DestinationDeclaration`, without `type`. `null` removes one; of `headers`, only those that are named change */
export type DestinationChanges = {
  [other: string]: unknown;
};

export type AlertChannelDeclaration = {
  /** What takes the message; `slack` also for Mattermost and Rocket.Chat */
  type: "webhook" | "slack" | "teams" | "discord";
  /** Where messages are POSTed. A secret: never shown again. Left out: as it is */
  url?: string;
  /** Of type `webhook` only: signs as for destinations (Standard Webhooks). Default: generated */
  secret?: string | (string | {
    secret: string;
    /** It signs until then. */
    until: string;
  })[];
  /** Which severities it is told */
  severities?: ("critical" | "warning")[];
  /** Which conditions it is told; `*` stands for any characters */
  codes?: (string)[];
  /** How long the first news waits for more */
  groupWait?: string;
  /** The least time between two messages; what is newly critical waits for `groupWait` only */
  groupInterval?: string;
  /** After how long it is told again what is still raised */
  repeat?: {
    critical?: string;
    warning?: string;
  };
  /** When it is told nothing that can wait; null: never */
  quiet?: {
    /** `22:00` */
    from: string;
    /** `07:00`; before `from`: on the next day */
    to: string;
    /** The days on which it begins */
    days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
    /** A name such as `Africa/Johannesburg` */
    timeZone: string;
    /** Whether to hold back what is critical too */
    critical?: boolean;
  } | null;
  /** Whether it is told when something that it was told has ended */
  sendResolved?: boolean;
};

export type ListedEvent = {
  /** A duplicate of the event always has the same id: use it as idempotency key. */
  id: string;
  /** The array's own name in Clickatell's callback: `moText`, `messageStatusUpdate`. */
  type: string;
  integrationId: string | null;
  integrationName: string | null;
  /** Trimmed; free text. */
  channel: string | null;
  from: string | null;
  to: string | null;
  messageId: string | null;
  /** The id of the message that the user replied to. */
  relatedMessageId: string | null;
  /** Your own id for the message whose status this is. */
  clientMessageId: string | null;
  /** The element's own timestamp, ISO 8601 in UTC. */
  occurredAt: string | null;
  /** When the receiver accepted the callback, ISO 8601 in UTC. */
  receivedAt: string;
  /** Present when the element does not fit its known type. */
  valid?: false;
  /** Each misfit, and each name of the callback that was too long to keep; without received values. */
  issues?: ({
    path: string;
    message: string;
  })[];
  /** Typed by `type`; empty for unknown types and misfits. */
  data: {
    [other: string]: unknown;
  };
  /** Clickatell's own element, as received. */
  raw: unknown;
  /** With `include=deliveries` */
  deliveries?: (DeliverySummary)[];
};

export type DeliverySummary = {
  destinationId: string;
  state: "pending" | "delivered" | "dead_letter";
  /** How many attempts there were */
  attempts: number;
  nextAttemptAt: string | null;
};

export type Error = {
  error: {
    /** Stable; explained in docs/errors.md */
    code: string;
    message: string;
    issues?: ({
      path: string;
      message: string;
    })[];
  };
};

export type EventWithDeliveries = {
  /** A duplicate of the event always has the same id: use it as idempotency key. */
  id: string;
  /** The array's own name in Clickatell's callback: `moText`, `messageStatusUpdate`. */
  type: string;
  integrationId: string | null;
  integrationName: string | null;
  /** Trimmed; free text. */
  channel: string | null;
  from: string | null;
  to: string | null;
  messageId: string | null;
  /** The id of the message that the user replied to. */
  relatedMessageId: string | null;
  /** Your own id for the message whose status this is. */
  clientMessageId: string | null;
  /** The element's own timestamp, ISO 8601 in UTC. */
  occurredAt: string | null;
  /** When the receiver accepted the callback, ISO 8601 in UTC. */
  receivedAt: string;
  /** Present when the element does not fit its known type. */
  valid?: false;
  /** Each misfit, and each name of the callback that was too long to keep; without received values. */
  issues?: ({
    path: string;
    message: string;
  })[];
  /** Typed by `type`; empty for unknown types and misfits. */
  data: {
    [other: string]: unknown;
  };
  /** Clickatell's own element, as received. */
  raw: unknown;
  /** The callback that brought the event; null when that is not known */
  callback: CallbackOfEvent | null;
  /** How many repeats of it were recognised, and when the last one came */
  repeats: {
    count: number;
    lastAt: string | null;
  };
  deliveries: (Delivery)[];
  /** Destinations that it did not go to, each with the first rule that refuses it now; 100 at most */
  unwanted: ({
    destinationId: string;
    rule: string;
    passed: boolean;
    detail: string;
  })[];
};

export type CallbackOfEvent = {
  receivedAt: string;
  lane: "messages" | "statuses";
  /** The size of its body, in bytes */
  size: number | null;
  /** How many callbacks one write committed, this one included */
  committedTogether: number | null;
  /** How many elements it has; null when it has very many */
  elements: number | null;
  /** The ids of the other new events of this callback */
  others: (string)[];
  /** Whether `others` has all of them: only the log around this event is searched */
  complete: boolean;
};

export type Delivery = {
  /** `dlv_<destination>_<event>` */
  id: string;
  eventId: string;
  destinationId: string;
  state: "pending" | "delivered" | "dead_letter";
  attempts: (Attempt)[];
  nextAttemptAt: string | null;
};

export type Attempt = {
  /** From 1, in order of time */
  number: number;
  startedAt: string;
  durationMs: number;
  outcome: "delivered" | "retry" | "dead_letter";
  /** The status that the destination answered */
  status: number | null;
  error: {
    code: string;
    message: string;
  } | null;
  /** The first 16 KB of the answer */
  response: string;
};

export type Message = {
  messageId: string;
  /** Your own id of the message */
  clientMessageId: string | null;
  channel: string | null;
  /** The current status: the first final one by its own time, else the furthest; null without a status */
  current: MessageStatus | null;
  statusCount: number;
  /** In the order in which they happened; the last 500 */
  statuses: (MessageStatus)[];
  /** The message itself, when a customer sent it */
  received: (Event)[];
  replyCount: number;
  /** Events that refer to the message, in the order in which they happened; the last 500 */
  replies: (Event)[];
  /** For each event shown: its repeats, and the state of its deliveries */
  became: ({
    eventId: string;
    repeats: number;
    deliveries: (DeliverySummary)[];
  })[];
  /** Whether all its events were looked at; false when there are more than 10,000 */
  complete: boolean;
};

export type MessageStatus = {
  /** The id of the event */
  id: string;
  code: number | null;
  name: string | null;
  class: "pending" | "delivered" | "read" | "failed" | "unknown";
  /** Whether no other status follows */
  final: boolean;
  occurredAt: string | null;
  receivedAt: string;
  /** Whether it came after a status that happened later; a late status never replaces that one */
  late: boolean;
};

export type Event = {
  /** A duplicate of the event always has the same id: use it as idempotency key. */
  id: string;
  /** The array's own name in Clickatell's callback: `moText`, `messageStatusUpdate`. */
  type: string;
  integrationId: string | null;
  integrationName: string | null;
  /** Trimmed; free text. */
  channel: string | null;
  from: string | null;
  to: string | null;
  messageId: string | null;
  /** The id of the message that the user replied to. */
  relatedMessageId: string | null;
  /** Your own id for the message whose status this is. */
  clientMessageId: string | null;
  /** The element's own timestamp, ISO 8601 in UTC. */
  occurredAt: string | null;
  /** When the receiver accepted the callback, ISO 8601 in UTC. */
  receivedAt: string;
  /** Present when the element does not fit its known type. */
  valid?: false;
  /** Each misfit, and each name of the callback that was too long to keep; without received values. */
  issues?: ({
    path: string;
    message: string;
  })[];
  /** Typed by `type`; empty for unknown types and misfits. */
  data: {
    [other: string]: unknown;
  };
  /** Clickatell's own element, as received. */
  raw: unknown;
};

export type ListedDelivery = {
  destinationId: string;
  state: "pending" | "delivered" | "dead_letter";
  /** How many attempts there were */
  attempts: number;
  nextAttemptAt: string | null;
  /** `dlv_<destination>_<event>` */
  id: string;
  eventId: string;
  /** `unknown` when the event has left the log */
  eventType: string;
  /** When its callback came; null when the event has left the log */
  receivedAt: string | null;
  lastAttemptAt: string | null;
  /** What the destination answered to the last attempt; null without an answer */
  status: number | null;
  /** Of the last attempt; explained in docs/errors.md */
  errorCode: string | null;
  error: string | null;
};

export type DeadLetter = {
  deliveryId: string;
  eventId: string;
  destinationId: string;
  eventType: string;
  /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
  kind: "refused" | "not_built" | "crashes_consumer";
  error: string;
  /** The code of the last attempt, explained in docs/errors.md; null when the attempts are no longer kept */
  errorCode: string | null;
  /** The status that the destination answered to the last attempt; null when it did not answer */
  status: number | null;
  /** When its callback came; null when the event has left the log */
  receivedAt: string | null;
  failedAt: string;
  attempts: number;
};

export type DeadLetterGroup = {
  destinationId: string;
  /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
  kind: "refused" | "not_built" | "crashes_consumer";
  errorCode: string | null;
  /** The error of the newest; the others differ from it in numbers only */
  error: string;
  count: number;
  newest: string;
  oldest: string;
  /** The delivery id of the newest dead letter */
  sample: string;
};

export type Replay = {
  /** `rpl_…` */
  id: string;
  /** The name of the key that made it */
  by: string;
  createdAt: string;
  /** `paused` will go on some time, `cancelled` is given up; either can be resumed */
  state: "running" | "paused" | "cancelled" | "done";
  selection: {
    state: "dead_letter" | "delivered";
    /** How many deliveries were named */
    deliveryCount?: number;
    /** How many were named as exceptions */
    exceptCount?: number;
    /** Only those of this destination */
    destination?: string;
    /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
    kind?: "refused" | "not_built" | "crashes_consumer";
    /** Patterns of event types: `mo*` */
    events?: (string)[];
    /** Dead letters that failed, or events that came in, at or after this time */
    since?: string;
    until: string;
    /** An expression (CEL) over `event` that must be true */
    filter?: string;
  };
  rate: string | null;
  /** How many deliveries were chosen when it was made; null when there were too many to count */
  matched: number | null;
  /** How many were sent again so far */
  replayed: number;
  /** How many of those were delivered */
  delivered: number;
  /** How many of those became dead letters again */
  failed: number;
  /** Chosen, but already pending */
  skipped: number;
};

export type Quarantined = {
  /** `qrt_…` */
  id: string;
  receivedAt: string;
  /** Why it could not be used */
  reason: string;
  bytes: number;
};

export type QuarantinedWithBody = {
  /** `qrt_…` */
  id: string;
  receivedAt: string;
  /** Why it could not be used */
  reason: string;
  bytes: number;
  /** Null where personal data is hidden */
  body: {
    /** Decoded as UTF-8; broken bytes show as U+FFFD */
    text: string;
    /** The bytes */
    base64: string;
  } | null;
};

export type Destination = {
  id: string;
  type: string;
  events: (string)[];
  channels?: (string)[];
  classes?: (string)[];
  filter?: string;
  /** Why it is paused by hand, or that it answered 410; null when it is not paused */
  paused: string | null;
  /** Nothing is sent until then: the destination asked for a pause (`throttled`), or its circuit is open (`failing`); null otherwise */
  held: {
    reason: "throttled" | "failing";
    until: string;
  } | null;
  /** Stands for the settings, secrets apart: send it with a change, which is then refused if they are others */
  revision: string;
  /** Shown only in the answer that generated it; hidden otherwise */
  secret?: string;
  [other: string]: unknown;
};

export type DeclaredDestination = {
  id: string;
  type: string;
  events: (string)[];
  channels?: (string)[];
  classes?: (string)[];
  filter?: string;
  /** Why it is paused by hand, or that it answered 410; null when it is not paused */
  paused: string | null;
  /** Nothing is sent until then: the destination asked for a pause (`throttled`), or its circuit is open (`failing`); null otherwise */
  held: {
    reason: "throttled" | "failing";
    until: string;
  } | null;
  /** Stands for the settings, secrets apart: send it with a change, which is then refused if they are others */
  revision: string;
  /** Shown only in the answer that generated it; hidden otherwise */
  secret?: string;
  /** What is valid and will probably not work: names that no event has, addresses that are not called */
  warnings: (string)[];
  [other: string]: unknown;
};

export type AttemptFigures = {
  /** Attempts that succeeded */
  delivered: number;
  /** Attempts that failed */
  failed: number;
  /** Deliveries whose first attempt succeeded; replays do not count */
  firstTry: number;
  /** How many of `failed` were the last one: the delivery became a dead letter */
  deadLetters: number;
  /** Approximate median of the time an attempt took; null without attempts */
  p50Ms: number | null;
  /** Approximate 95th percentile of the time an attempt took; null without attempts. For `pull`, how long leases were held */
  p95Ms: number | null;
  /** Share of attempts that succeeded, 0 to 1; null without attempts */
  deliveredShare: number | null;
  /** Share of successful attempts that were the first, 0 to 1; null without any */
  firstTryShare: number | null;
};

export type LiveSecret = {
  secret: string;
  /** Until when it signs; null as long as it is not replaced */
  until: string | null;
};

export type RotatedSecret = {
  id: string;
  /** The new secret; two when HMAC and Ed25519 keys were both in use */
  secrets: (LiveSecret)[];
  /** Until when the old secret signs too; null when it has ended */
  oldUntil: string | null;
};

export type TestResult = {
  /** Whether this counts as delivered */
  delivered: boolean;
  /** The status that the destination answered; null when it did not answer */
  status: number | null;
  durationMs: number;
  /** The first 16 KB of the answer */
  response: string;
  error: {
    code: string;
    message: string;
  } | null;
  /** The format of the body */
  format: "event" | "clickatell" | "cloudevents" | "cloudevents-binary";
  /** The event that was sent */
  event: Event;
};

export type Lease = {
  /** `dlv_<destination>_<event>` */
  deliveryId: string;
  /** Settles or extends the lease */
  leaseToken: string;
  /** From 1; counts earlier leases that were nacked or expired */
  attempt: number;
  /** When the delivery comes back, unless it is acked, nacked or extended before */
  leaseEndsAt: string;
  event: Event;
};

export type PeekedDelivery = {
  /** `dlv_<destination>_<event>` */
  deliveryId: string;
  /** From 1; counts earlier leases that were nacked or expired */
  attempt: number;
  event: Event;
};

export type OnceClaim = {
  key: string;
  /** Do it now */
  state: "yours";
  /** Settles the claim */
  token: string;
} | {
  key: string;
  /** Do not do it again */
  state: "done";
  /** As settled; or the id of a message whose `clientMessageId` is the key */
  result: string;
} | {
  key: string;
  /** Somebody is at it */
  state: "busy";
  /** When they are done, or nobody knows */
  retryAfterMs: number;
} | {
  key: string;
  /** Somebody claimed it and disappeared, or does not know whether it is done */
  state: "unknown";
};

export type Key = {
  /** `key_…` */
  id: string;
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** The destinations that the scope `lease` is bound to */
  destinations: (string)[];
  createdAt: string;
};

export type NewKey = {
  /** `key_…` */
  id: string;
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** The destinations that the scope `lease` is bound to */
  destinations: (string)[];
  createdAt: string;
  /** `crk_…` */
  key: string;
};

export type Session = {
  /** The name of the key */
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** Send it as `x-csrf-token` with every change */
  csrfToken: string;
};

export type AuditEntry = {
  /** `aud_…` */
  id: string;
  at: string;
  /** The key that was used: `API_KEY`, or the name and id of the key */
  by: string;
  /** What was done, such as `destination.removed` */
  action: string;
  /** The id of the object that it was done to */
  target: string;
  detail?: {
    [other: string]: unknown;
  };
};

export type Ledger = {
  from: string | null;
  to: string;
  /** Whether nothing is unaccounted for */
  balanced: boolean;
  /** Events that this answer covers */
  events: number;
  /** Events among them that no destination wanted */
  unrouted: number;
  /** Events before this time may have left the log, because no delivery needed them any more */
  completeSince: string | null;
  destinations: (DestinationLedger)[];
  /** Accepted callbacks that are in no column at this moment. The spool of a receiver is not counted: that receiver reports it */
  upstream: {
    /** Groups of callbacks with messages that are not split or not fully routed */
    messages: number;
    /** The same for statuses */
    statuses: number;
    /** Callbacks that could not be used */
    quarantined: number;
  };
  /** What came in, for all destinations: counted with the events, in whole minutes of the last 25 hours or whole hours of the last 32 days; `from` and `to` say which */
  intake: {
    from: string;
    to: string;
    messages: IntakeCounts;
    statuses: IntakeCounts;
  };
  /** Share of the log covered so far, 0 to 1 */
  progress: number;
  /** `cursor` of the next part, whose numbers add to these; null at the end */
  next: string | null;
};

export type DestinationLedger = {
  id: string;
  /** Events routed to it: the sum of the other columns without `retrying` */
  accepted: number;
  delivered: number;
  /** Waiting, active, or waiting for another attempt */
  pending: number;
  /** How many of `pending` and `parked` have failed before */
  retrying: number;
  /** Kept and not tried: the destination is paused by hand, answered 410, or its circuit is open and only probes are sent */
  parked: number;
  /** Dead letters */
  dead: number;
  /** Given up: the dead letter or the destination was removed */
  removed: number;
  /** Deliveries that nothing will ever send. Anything but 0 is an alarm */
  unaccounted: number;
  /** Some of the unaccounted deliveries; each can be replayed */
  differing: ({
    deliveryId: string;
    eventId: string;
    /** Routed without a known delivery; pending without a job; or dead but not among the dead letters */
    problem: "never_queued" | "no_job" | "no_dead_letter";
  })[];
};

export type IntakeCounts = {
  /** Callbacks that were accepted and read */
  callbacks: number;
  /** New events */
  events: number;
  /** Repeats: elements that Clickatell had sent before, and that were dropped */
  repeats: number;
};

export type Intake = {
  from: string;
  to: string;
  step: "minute" | "hour";
  /** Oldest first; those in which nothing came in are left out */
  items: ({
    /** When the minute or hour begins */
    at: string;
    messages: IntakeCounts;
    statuses: IntakeCounts;
    refused: RefusalCounts;
  })[];
};

export type RefusalCounts = {
  /** 401: without any credential, so hardly from Clickatell */
  noCredential: number;
  /** 401: with a wrong one; the portal may have an old URL */
  wrongCredential: number;
  /** 403: the address or the integration is not allowed */
  forbidden: number;
  /** 413: larger than `MAX_BODY_BYTES` */
  tooLarge: number;
  /** 422 */
  unprocessable: number;
  /** 429: too many wrong credentials from one address */
  rateLimited: number;
  /** 503: nothing durable could be written */
  unavailable: number;
};

export type Hours = {
  /** Oldest first, the current one last; hours without attempts are there, with zeros */
  items: ({
    /** When the hour begins */
    at: string;
    /** Attempts that succeeded */
    delivered: number;
    /** Attempts that failed */
    failed: number;
    /** Deliveries whose first attempt succeeded; replays do not count */
    firstTry: number;
    /** How many of `failed` were the last one: the delivery became a dead letter */
    deadLetters: number;
    /** Approximate median of the time an attempt took; null without attempts */
    p50Ms: number | null;
    /** Approximate 95th percentile of the time an attempt took; null without attempts. For `pull`, how long leases were held */
    p95Ms: number | null;
  })[];
  destinations: ({
    id: string;
    /** Oldest first, the current one last; hours without attempts are there, with zeros */
    items: ({
      /** When the hour begins */
      at: string;
      /** Attempts that succeeded */
      delivered: number;
      /** Attempts that failed */
      failed: number;
      /** Deliveries whose first attempt succeeded; replays do not count */
      firstTry: number;
      /** How many of `failed` were the last one: the delivery became a dead letter */
      deadLetters: number;
      /** Approximate median of the time an attempt took; null without attempts */
      p50Ms: number | null;
      /** Approximate 95th percentile of the time an attempt took; null without attempts. For `pull`, how long leases were held */
      p95Ms: number | null;
    })[];
  })[];
};

export type Lag = {
  /** When the first hour begins */
  from: string;
  boundsSeconds: (number)[];
  /** All hours together, without those that are `ours` */
  rows: (LagRow)[];
  /** Oldest first, the present one last */
  hours: ({
    /** When the hour begins */
    at: string;
    /** Whether callbacks were refused here in it or in the hour before: some came late by that */
    ours: boolean;
    rows: (LagRow)[];
    /** The rows of each lane together, whatever their channel and class */
    lanes: {
      messages: {
        events: number;
        medianMs: number | null;
        p95Ms: number | null;
      };
      statuses: {
        events: number;
        medianMs: number | null;
        p95Ms: number | null;
      };
    };
  })[];
};

export type LagRow = {
  lane: "messages" | "statuses";
  channel: "whatsapp" | "sms" | "other";
  /** Of statuses: `pending`, `delivered`, `failed`, `unknown`; null for messages */
  class: string | null;
  /** New events with a time that says something */
  events: number;
  /** How many of `events` arrived more than a second before they occurred: the clocks differ. They count as no lag */
  early: number;
  /** Others, whose time is missing, 0, in seconds or in the future */
  unusable: number;
  /** Approximate; null without events */
  medianMs: number | null;
  p95Ms: number | null;
  /** How many lie below each of `boundsSeconds`, then how many above */
  counts: (number)[];
};

export type Health = {
  /** The worst of what is raised; `unknown` when nothing is, and something cannot be told */
  state: "ok" | "unknown" | "warning" | "critical";
  checkedAt: string;
  /** Raised, clearing, unknown, pending; of each the worst first */
  conditions: (Condition)[];
};

export type Condition = {
  /** Stable; explained in docs/conditions.md */
  code: string;
  /** `critical`: callbacks are lost or do not arrive now; `warning`: a person is needed today */
  severity: "critical" | "warning" | "info";
  /** `pending`: not for long enough yet; `clearing`: over, but not for long enough; `unknown`: who knows */
  state: "pending" | "raised" | "clearing" | "unknown";
  subject: {
    kind: "relay" | "receiver" | "worker" | "api" | "redis" | "destination" | "channel";
    /** A destination, a channel, or the host of a part; null: all of them */
    id: string | null;
  };
  /** The first moment it was true; of `unknown`, since when it cannot be told */
  since: string;
  /** Deliveries, callbacks or bytes that wait or fail because of it */
  count: number;
  /** Holds no personal data */
  sentence: string;
  mend: {
    text: string;
    /** A line to type */
    command: string | null;
    /** A page of the docs */
    link: string | null;
  };
  /** The code of the condition that causes this one */
  inhibitedBy: string | null;
  acknowledged: {
    by: string;
    /** Null: until the condition ends */
    until: string | null;
    /** What that person wrote */
    note: string | null;
  } | null;
};

export type Status = {
  version: string;
  durability: Durability;
  /** The size of the event log */
  eventLogBytes: number;
  /** Groups of callbacks that are not routed */
  ingest: {
    messages: number;
    statuses: number;
  };
  destinations: ({
    id: string;
    waiting: number;
    delayed: number;
    active: number;
    deadLetters: number;
  })[];
  /** The credentials of callbacks that a receiver accepts now, newest first */
  credentials: ({
    id: string;
    kind: string;
    lastUsedAt: string | null;
  })[];
};

export type Durability = {
  ready: boolean;
  /** How safe Redis must be: DURABILITY */
  mode: string;
  /** How safe Redis is */
  durability: string;
  /** What Redis may lose all the same */
  mayBeLost: string;
  problems: ({
    setting: string;
    value: string;
    mend: string;
  })[];
};

export type Parts = {
  items: ({
    role: "receiver";
    /** `host:pid` */
    process: string;
    /** When it last reported, by the clock of Redis; one that is gone is left out after 16 seconds */
    at: string;
    /** Its machine */
    hostName: string;
    version: string;
    startedAt: string;
    /** The store that it works with; null before it has seen one */
    storeId: string | null;
    /** To Redis and back */
    roundTripMs: number;
    /** Its clock minus that of Redis */
    clockOffsetMs: number;
    /** How far its clock jumped between two reports, at most, in the last minute */
    clockJumpMs: number;
    /** The share of the time since its last report in which it was busy, 0 to 1 */
    eventLoop: number;
    disks: ({
      /** What lies there: the spool, or `DATA_DIR` */
      of: "spool" | "data";
      freeBytes: number;
      totalBytes: number;
      /** How far the spool may grow, or what a rewrite of our own Redis needs */
      neededBytes: number;
    })[];
    /** A short hash of each setting in which the parts of a role must agree */
    settings: {
      [other: string]: string;
    };
    host: string;
    port: number;
    readiness: Durability;
    /** What waits on its disk; null without a spool */
    spool: {
      /** Callbacks that wait for Redis */
      callbacks: number;
      bytes: number;
      maxBytes: number;
      /** When the oldest of them came; null when none waits */
      oldestAt: string | null;
      /** Files that a person has to look at */
      setAside: number;
      /** Why a callback sent now would not be taken; null when it would */
      refusing: string | null;
    } | null;
    /** Of the last minute; null without any commit */
    commitP99Ms: number | null;
  } | {
    role: "worker";
    /** `host:pid` */
    process: string;
    /** When it last reported, by the clock of Redis; one that is gone is left out after 16 seconds */
    at: string;
    /** Its machine */
    hostName: string;
    version: string;
    startedAt: string;
    /** The store that it works with; null before it has seen one */
    storeId: string | null;
    /** To Redis and back */
    roundTripMs: number;
    /** Its clock minus that of Redis */
    clockOffsetMs: number;
    /** How far its clock jumped between two reports, at most, in the last minute */
    clockJumpMs: number;
    /** The share of the time since its last report in which it was busy, 0 to 1 */
    eventLoop: number;
    disks: ({
      /** What lies there: the spool, or `DATA_DIR` */
      of: "spool" | "data";
      freeBytes: number;
      totalBytes: number;
      /** How far the spool may grow, or what a rewrite of our own Redis needs */
      neededBytes: number;
    })[];
    /** A short hash of each setting in which the parts of a role must agree */
    settings: {
      [other: string]: string;
    };
    /** The types of destinations that it delivers to */
    adapters: (string)[];
    /** Destinations that it could not open, and why: their events wait */
    unopened: ({
      destinationId: string;
      code: string;
    })[];
  } | {
    role: "api";
    /** `host:pid` */
    process: string;
    /** When it last reported, by the clock of Redis; one that is gone is left out after 16 seconds */
    at: string;
    /** Its machine */
    hostName: string;
    version: string;
    startedAt: string;
    /** The store that it works with; null before it has seen one */
    storeId: string | null;
    /** To Redis and back */
    roundTripMs: number;
    /** Its clock minus that of Redis */
    clockOffsetMs: number;
    /** How far its clock jumped between two reports, at most, in the last minute */
    clockJumpMs: number;
    /** The share of the time since its last report in which it was busy, 0 to 1 */
    eventLoop: number;
    disks: ({
      /** What lies there: the spool, or `DATA_DIR` */
      of: "spool" | "data";
      freeBytes: number;
      totalBytes: number;
      /** How far the spool may grow, or what a rewrite of our own Redis needs */
      neededBytes: number;
    })[];
    /** A short hash of each setting in which the parts of a role must agree */
    settings: {
      [other: string]: string;
    };
    publicUrl: string | null;
  })[];
};

export type Setup = {
  /** PUBLIC_URL; null when it is not set */
  publicUrl: string | null;
  callbackUrls: {
    /** For the portal; null without PUBLIC_URL */
    public: {
      replies: string;
      statuses: string;
    } | null;
    /** On the machine of the receiver; null while no receiver runs */
    local: {
      replies: string;
      statuses: string;
    } | null;
  };
  /** Either path takes either kind: the body decides what a callback is */
  accepts: ({
    path: string;
    meantFor: "messages" | "statuses";
    kinds: (string)[];
  })[];
  /** Any one of them suffices, the newest first. Null when the API knows none: it was not given CALLBACK_AUTH, and keeps none that it made */
  credentials: ({
    kind: "basic" | "header" | "query" | "none";
    /** The user, the header, or the parameter of the query */
    name: string | null;
    secret: string | null;
  })[] | null;
  received: {
    messages: {
      /** Null when no callback ever came */
      firstAt: string | null;
      lastAt: string | null;
      /** How many callbacks came */
      last24h: number;
    };
    statuses: {
      /** Null when no callback ever came */
      firstAt: string | null;
      lastAt: string | null;
      /** How many callbacks came */
      last24h: number;
    };
  };
  receivers: (Receiver)[];
  /** The conditions between Clickatell and the receiver */
  problems: (Condition)[];
};

export type Receiver = {
  /** `host:pid` */
  process: string;
  /** When it last reported; one that is gone is left out after 16 seconds */
  at: string;
  version: string;
  host: string;
  port: number;
  pathPrefix: string;
  /** The kinds of the credentials that it accepts */
  credentials: (string)[];
  /** Their ids, as `GET /v1/credentials` lists them */
  credentialIds: (string)[];
  /** CALLBACK_ALLOW_IPS; empty: any address may call */
  allowIps: (string)[];
  /** CALLBACK_INTEGRATION_IDS; empty: any */
  integrationIds: (string)[];
  maxBodyBytes: number;
  /** Whether a callback sent now would be accepted, and how safe it would be */
  readiness: Durability;
  /** Null when the receiver has no spool */
  spool: {
    records: number;
    bytes: number;
    [other: string]: unknown;
  } | null;
};

export type Credential = {
  /** `crd_…` */
  id: string;
  kind: "query" | "basic" | "header";
  /** The header; null for the other kinds */
  name: string | null;
  /** `made` by this API, for every receiver; `declared` in `CALLBACK_AUTH`, for the receivers that have it */
  origin: "made" | "declared";
  /** When it was made, or declared for the first time */
  createdAt: string;
  /** From then on it is refused; null when it has no end */
  endsAt: string | null;
  ended: boolean;
  /** When a callback last came with it, known within 5 seconds; null when none ever did */
  lastUsedAt: string | null;
  /** The receivers that accept it now: `host:pid` */
  acceptedBy: (string)[];
};

export type NewCredential = {
  /** `crd_…` */
  id: string;
  kind: "query" | "basic" | "header";
  /** The header; null for the other kinds */
  name: string | null;
  /** `made` by this API, for every receiver; `declared` in `CALLBACK_AUTH`, for the receivers that have it */
  origin: "made" | "declared";
  /** When it was made, or declared for the first time */
  createdAt: string;
  /** From then on it is refused; null when it has no end */
  endsAt: string | null;
  ended: boolean;
  /** When a callback last came with it, known within 5 seconds; null when none ever did */
  lastUsedAt: string | null;
  /** The receivers that accept it now: `host:pid` */
  acceptedBy: (string)[];
  /** Of a `basic` one, else null */
  user: string | null;
  secret: string;
  callbackUrls: {
    /** For the portal; null without PUBLIC_URL */
    public: {
      replies: string;
      statuses: string;
    } | null;
    /** On the machine of the receiver; null while no receiver runs */
    local: {
      replies: string;
      statuses: string;
    } | null;
  };
  /** Receivers that do not accept it yet; empty: it can be entered in the portal now */
  notYet: (string)[];
};

export type RevokedCredential = {
  /** `crd_…` */
  id: string;
  kind: "query" | "basic" | "header";
  /** The header; null for the other kinds */
  name: string | null;
  /** `made` by this API, for every receiver; `declared` in `CALLBACK_AUTH`, for the receivers that have it */
  origin: "made" | "declared";
  /** When it was made, or declared for the first time */
  createdAt: string;
  /** From then on it is refused; null when it has no end */
  endsAt: string | null;
  ended: boolean;
  /** When a callback last came with it, known within 5 seconds; null when none ever did */
  lastUsedAt: string | null;
  /** The receivers that accept it now: `host:pid` */
  acceptedBy: (string)[];
  /** Receivers that accept it still */
  notYet: (string)[];
};

export type TestCallback = {
  /** Whether every step is ok */
  ok: boolean;
  /** `local` without PUBLIC_URL: only the receiver itself is tested */
  through: "public" | "local";
  /** Without the credential */
  url: string;
  /** In order; the steps after one that is not ok are left out */
  steps: ({
    step: "resolved" | "connected" | "tls" | "answered" | "committed" | "split";
    ok: boolean;
    ms: number;
    /** What was found, or what is wrong */
    detail: string;
    /** What to do about it; null when it is ok */
    mend: string | null;
  })[];
  type: string;
  /** The ids of the destinations that a real callback would go to */
  wantedBy: (string)[];
  /** With `deliver`; consumers of pull destinations get no test */
  deliveries: ({
    destinationId: string;
    delivered: boolean;
    status: number | null;
    durationMs: number;
    error: {
      code: string;
      message: string;
    } | null;
  })[];
};

export type Overview = {
  /** Whether nothing is wrong, and everything can be told: as `GET /v1/health` */
  healthy: boolean;
  /** The conditions that need a person, the worst first */
  needs: (Condition)[];
  /** When the newest event of the log was received */
  lastEventAt: string | null;
  /** Groups of callbacks that are not split into events */
  ingest: {
    messages: number;
    statuses: number;
  };
  /** When the oldest group was committed */
  ingestOldestAt: {
    messages: string | null;
    statuses: string | null;
  };
  quarantined: number;
  /** Callbacks that receivers refused; their counts arrive within 5 seconds */
  refused: {
    /** In the last whole minute */
    lastMinute: RefusalCounts;
    /** In the current hour and the 23 before it */
    last24h: RefusalCounts;
  };
  destinations: ({
    id: string;
    type: string;
    state: "paused" | "failing" | "throttled" | "active";
    /** When it is tried again, if it is failing or throttled */
    until: string | null;
    /** Deliveries that wait, are active, or will be tried again */
    waiting: number;
    /** When the oldest of them was queued */
    oldestAt: string | null;
    /** Why it is paused; null when it is not */
    paused: string | null;
    deadLetters: number;
    /** Over the current hour and the 23 before it */
    last24h: AttemptFigures;
  })[];
};

export type Found = {
  /** What the text is; null when nothing here matches it */
  recognised: "event_id" | "delivery_id" | "quarantine_id" | "replay_id" | "destination_id" | "message_id" | "client_message_id" | "phone_number" | "short_code" | "user_id" | "sender_name" | null;
  /** For a person: the keyed hash, `pty_…`, which is safe in a URL: `GET /v1/events?party=` */
  party: string | null;
  hits: ({
    kind: "event" | "delivery" | "message" | "destination" | "quarantined" | "replay";
    id: string;
  })[];
  /** For a person: the latest events, newest first */
  events: (Event)[];
  /** Whether these are all: a person is searched for in the latest 20000 events, for 2 seconds */
  complete: boolean;
};

export type SentAlert = {
  /** `alt_…`: the `webhook-id` of a webhook, the same when it was sent again */
  id: string;
  at: string;
  channelId: string;
  /** `raised`, `risen` (worse now), `repeated`, `resolved` or `test` */
  what: string;
  /** The code of the condition */
  code: string;
  severity: "critical" | "warning" | "info";
  subject: {
    kind: "relay" | "receiver" | "worker" | "api" | "redis" | "destination" | "channel";
    id: string | null;
  };
  /** What the channel answered; null without an answer */
  status: number | null;
  /** Why it was not taken: the status, or the code of the error; null when it was */
  error: string | null;
  tries: number;
};

export type AlertChannel = {
  id: string;
  type: "webhook" | "slack" | "teams" | "discord";
  /** `(hidden)`: who knows it may post */
  url: string;
  /** Shown only in the answer that generated it; hidden otherwise */
  secret?: string;
  severities: ("critical" | "warning")[];
  codes: (string)[];
  groupWait: string;
  groupInterval: string;
  repeat: {
    critical: string;
    warning: string;
  };
  quiet: {
    from: string;
    to: string;
    days: (string)[];
    timeZone: string;
    critical: boolean;
  } | null;
  sendResolved: boolean;
  /** That it took no alert after three tries; null while it works */
  failing: {
    since: string;
    /** The answer's status, or the code of the error */
    code: string;
  } | null;
};

export type DeclaredAlertChannel = {
  id: string;
  type: "webhook" | "slack" | "teams" | "discord";
  /** `(hidden)`: who knows it may post */
  url: string;
  /** Shown only in the answer that generated it; hidden otherwise */
  secret?: string;
  severities: ("critical" | "warning")[];
  codes: (string)[];
  groupWait: string;
  groupInterval: string;
  repeat: {
    critical: string;
    warning: string;
  };
  quiet: {
    from: string;
    to: string;
    days: (string)[];
    timeZone: string;
    critical: boolean;
  } | null;
  sendResolved: boolean;
  /** That it took no alert after three tries; null while it works */
  failing: {
    since: string;
    /** The answer's status, or the code of the error */
    code: string;
  } | null;
  /** What is valid and will probably not work */
  warnings: (string)[];
};

export type AlertTestResult = {
  /** Whether it answered 2xx */
  delivered: boolean;
  /** What it answered; null without an answer */
  status: number | null;
  /** The status, or the code of the error; null when it was taken */
  error: string | null;
  /** What the answer means beyond that */
  note: string | null;
};

/** Everything that the API can do. */
export interface Operations {
  /** List events, or follow them as they come in. Newest first; with `order=asc` oldest first, to follow them. Where a filter chooses few of many, a page may be short or empty and have a `next`: go on with it. Needs a key with the scope `read`. */
  'GET /v1/events': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      order?: "desc" | "asc" | undefined;
      /** Event types or patterns (`mo*`), separated by commas */
      type?: string | undefined;
      /** Only events of this channel; case does not matter */
      channel?: string | undefined;
      /** Only status updates of this class */
      class?: "pending" | "delivered" | "read" | "failed" | "unknown" | undefined;
      /** Only events from or to one person, by the keyed hash, which `POST /v1/find` returns */
      party?: string | undefined;
      /** Add the state of its deliveries to each event */
      include?: "deliveries" | undefined;
      count?: "estimate" | undefined;
      /** Logged at or after this time */
      since?: string | undefined;
      /** Logged before this time */
      until?: string | undefined;
      /** With `order=asc`: `next` of the previous page. Without it and without `since`, the list begins now */
      after?: string | undefined;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (ListedEvent)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
      /** With `count=estimate`: how many events all pages hold */
      count?: {
        events: number;
        /** False: extrapolated from the latest 500 events */
        exact: boolean;
      };
    };
  };
  /** Read one event and its deliveries. With the callback that brought it, and every attempt. Needs a key with the scope `read`. */
  'GET /v1/events/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: EventWithDeliveries;
  };
  /** Read what became of a message. Its statuses, its current status, and the replies to it. Needs a key with the scope `read`. */
  'GET /v1/messages/{messageId}': {
    path: {
      /** `apiMessageId` of the send response, or the id of a reply */
      messageId: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Message;
  };
  /** Find messages by your own message id. Needs a key with the scope `read`. */
  'GET /v1/messages': {
    query: {
      /** How many messages at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** As you sent it. Several messages may share one */
      clientMessageId: string;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    };
    answer: {
      items: (Message)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Rebuild the message index. From the event log, a part at a time, in case it was lost. Needs a key with the scope `admin`. */
  'POST /v1/messages/reindex': {
    query?: {
      /** About how many events to read */
      limit?: number | undefined;
      /** `next` of the previous part */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      /** How many events were read */
      events: number;
      /** `cursor` of the next part; null at the end */
      next: string | null;
    };
  };
  /** List deliveries by state, destination, cause and arrival. Those of the newest event first; with `order=next`, what a destination is still to get, in the order of the next attempts. Where few of many match, a page may be short or empty and have a `next`: go on with it. Needs a key with the scope `read`. */
  'GET /v1/deliveries': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** `next` takes a `destination` and nothing else */
      order?: "desc" | "next" | undefined;
      state?: "pending" | "delivered" | "dead_letter" | undefined;
      /** Only those of this destination */
      destination?: string | undefined;
      /** Only those whose last attempt ended with this code */
      error?: string | undefined;
      /** Of events logged at or after this time */
      since?: string | undefined;
      /** Of events logged before this time */
      until?: string | undefined;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (ListedDelivery)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one delivery with its attempts. Needs a key with the scope `read`. */
  'GET /v1/deliveries/{id}': {
    path: {
      /** `dlv_…` */
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Delivery;
  };
  /** Replay one delivery. Dead or delivered: from the first attempt on, with the same event id. Needs a key with the scope `replay`. */
  'POST /v1/deliveries/{id}/replay': {
    path: {
      /** `dlv_…` */
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Delivery;
  };
  /** List dead letters. Deliveries that ended without success, newest first. Where few of many are of a `kind`, a page may be short or empty and have a `next`: go on with it. Needs a key with the scope `read`. */
  'GET /v1/dead-letters': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** Only those of this destination */
      destination?: string | undefined;
      /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Failed at or after this time */
      since?: string | undefined;
      /** Failed before this time */
      until?: string | undefined;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (DeadLetter)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Remove many dead letters. For good; with `dryRun`, only reports how many. Needs a key with the scope `admin`. */
  'POST /v1/dead-letters/remove': {
    body: {
      /** Only these, by delivery id; besides them only the state and `until` may be given */
      deliveries?: (string)[] | undefined;
      /** All that match except these, by delivery id */
      except?: (string)[] | undefined;
      /** Only those of this destination */
      destination?: string | undefined;
      /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Patterns of event types: `mo*` */
      events?: (string)[] | undefined;
      /** Dead letters that failed, or events that came in, at or after this time */
      since?: string | undefined;
      /** Before this time; at most now */
      until?: string | undefined;
      /** An expression (CEL) over `event` that must be true */
      filter?: string | undefined;
      /** How many match, as the dry run reported; optional up to 100. When another number matches, nothing is removed */
      expected?: number | undefined;
      /** Report what would be removed, and remove nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      /** How many are chosen; null when there are too many to count */
      matched: number | null;
      /** Deliveries that were named or match, and are not chosen; see docs/api.md */
      leftOut: ({
        reason: "excepted" | "already_pending" | "delivered" | "dead_letter" | "failed_since" | "removed" | "event_gone" | "destination_gone" | "unknown";
        count: number;
      })[];
      /** When the oldest event came in; null when that is not known */
      oldest: string | null;
      /** Sent with the real request, it keeps out deliveries that come in between */
      until: string;
      removed: number;
      /** How many remain because time was up: `expected` of the next request. Null when they are not counted */
      left: number | null;
    };
  };
  /** Remove a dead letter. For good. Needs a key with the scope `admin`. */
  'DELETE /v1/dead-letters/{deliveryId}': {
    path: {
      deliveryId: string;
    };
    answer: undefined;
  };
  /** Count dead letters by destination and cause. Largest group first. Needs a key with the scope `read`. */
  'GET /v1/dead-letters/groups': {
    query?: {
      /** Only those of this destination */
      destination?: string | undefined;
      /** `next` of the previous part */
      cursor?: string | undefined;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      groups: (DeadLetterGroup)[];
      counted: number;
      /** `cursor` of the next part, whose groups add to these; null at the end */
      next: string | null;
    };
  };
  /** Replay many deliveries. At a rate; with `dryRun`, only reports how many. Needs a key with the scope `replay`. */
  'POST /v1/replays': {
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      /** Only these, by delivery id; besides them only the state and `until` may be given */
      deliveries?: (string)[] | undefined;
      /** All that match except these, by delivery id */
      except?: (string)[] | undefined;
      /** Only those of this destination */
      destination?: string | undefined;
      /** `refused`: the destination did not accept it; `not_built`: it could not be built from the event; `crashes_consumer`: it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Patterns of event types: `mo*` */
      events?: (string)[] | undefined;
      /** Dead letters that failed, or events that came in, at or after this time */
      since?: string | undefined;
      /** Before this time; at most now */
      until?: string | undefined;
      /** An expression (CEL) over `event` that must be true */
      filter?: string | undefined;
      /** Which state to send again, also among `deliveries`: one that was delivered since is not sent twice */
      state?: "dead_letter" | "delivered" | undefined;
      /** The highest rate: `500/s`. Default: as fast as possible */
      rate?: string | undefined;
      /** Report what would be sent again, and send nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      /** How many are chosen; null when there are too many to count */
      matched: number | null;
      /** Deliveries that were named or match, and are not chosen; see docs/api.md */
      leftOut: ({
        reason: "excepted" | "already_pending" | "delivered" | "dead_letter" | "failed_since" | "removed" | "event_gone" | "destination_gone" | "unknown";
        count: number;
      })[];
      /** When the oldest event came in; null when that is not known */
      oldest: string | null;
      /** Sent with the real request, it keeps out deliveries that come in between */
      until: string;
      /** How long it takes at this rate; null without a rate */
      seconds: number | null;
      /** Null for a dry run */
      replay: Replay | null;
    };
  };
  /** List replays of many deliveries. Newest first: who made them, what they choose, and their progress. Needs a key with the scope `read` or `replay`. */
  'GET /v1/replays': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (Replay)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one replay. Needs a key with the scope `read` or `replay`. */
  'GET /v1/replays/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Replay;
  };
  /** Pause, cancel or resume a replay. A finished one stays finished. Needs a key with the scope `replay`. */
  'PATCH /v1/replays/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      state: "running" | "paused" | "cancelled";
    };
    answer: Replay;
  };
  /** List what failed again. The deliveries of the replay that became dead letters again. Needs a key with the scope `read` or `replay`. */
  'GET /v1/replays/{id}/failed': {
    path: {
      id: string;
    };
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (string)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** List quarantined callbacks. Authentic callbacks that could not be used, newest first. Needs a key with the scope `read`. */
  'GET /v1/quarantine': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** Received at or after this time */
      since?: string | undefined;
      /** Received before this time */
      until?: string | undefined;
    } | undefined;
    answer: {
      items: (Quarantined)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read a quarantined callback. With its body, byte for byte. Needs a key with the scope `read`. */
  'GET /v1/quarantine/{id}': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: QuarantinedWithBody;
  };
  /** Delete a quarantined callback. Needs a key with the scope `admin`. */
  'DELETE /v1/quarantine/{id}': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    answer: undefined;
  };
  /** Parse a quarantined callback again. For when a newer version understands it: it is committed, and leaves quarantine. Needs a key with the scope `admin`. */
  'POST /v1/quarantine/{id}/reparse': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    answer: {
      /** How many events the callback holds */
      accepted: number;
    };
  };
  /** Parse many quarantined callbacks again. Those that can be read by now are committed, and leave quarantine. With `dryRun`, only reports how many could be. Needs a key with the scope `admin`. */
  'POST /v1/quarantine/reparse': {
    body: {
      /** Only these, by id */
      callbacks?: (string)[] | undefined;
      /** All that match except these, by id */
      except?: (string)[] | undefined;
      /** Only those with this reason, word for word */
      reason?: string | undefined;
      /** Received at or after this time */
      since?: string | undefined;
      /** Received before this time; at most now */
      until?: string | undefined;
      /** Report what would happen, and change nothing */
      dryRun?: boolean | undefined;
      /** How many to look at in this request */
      limit?: number | undefined;
      /** How many that stay are passed over: `after` of the last answer */
      after?: number | undefined;
    };
    answer: {
      /** How many are chosen */
      matched: number;
      /** Their bytes together */
      bytes: number;
      /** When the oldest of them was received */
      oldest: string | null;
      /** Sent with the next request, it keeps out callbacks that come in between */
      until: string;
      /** How many could be read */
      parsed: number;
      /** How many events those hold */
      accepted: number;
      /** How many stay, because they still cannot be read */
      unreadable: number;
      /** For the next request, which goes on; null at the end */
      after: number | null;
    };
  };
  /** Delete many quarantined callbacks. For good; with `dryRun`, only reports how many. Needs a key with the scope `admin`. */
  'POST /v1/quarantine/remove': {
    body: {
      /** Only these, by id */
      callbacks?: (string)[] | undefined;
      /** All that match except these, by id */
      except?: (string)[] | undefined;
      /** Only those with this reason, word for word */
      reason?: string | undefined;
      /** Received at or after this time */
      since?: string | undefined;
      /** Received before this time; at most now */
      until?: string | undefined;
      /** Report what would happen, and change nothing */
      dryRun?: boolean | undefined;
      /** How many to look at in this request */
      limit?: number | undefined;
      /** How many match, as the dry run reported; optional up to 100. When another number matches, nothing is removed */
      expected?: number | undefined;
      /** For the audit record: why they are not needed; no personal data */
      why?: string | undefined;
    };
    answer: {
      /** How many are chosen */
      matched: number;
      /** Their bytes together */
      bytes: number;
      /** When the oldest of them was received */
      oldest: string | null;
      /** Sent with the next request, it keeps out callbacks that come in between */
      until: string;
      removed: number;
      /** How many remain: `expected` of the next request */
      left: number;
    };
  };
  /** List destinations. Ordered by id. Needs a key with the scope `read` or `lease`. */
  'GET /v1/destinations': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Destination)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one destination. Needs a key with the scope `read` or `lease`. */
  'GET /v1/destinations/{id}': {
    path: {
      id: string;
    };
    answer: Destination;
  };
  /** Remove a destination. With its waiting deliveries and its dead letters; events stay in the log. Needs a key with the scope `admin`. */
  'DELETE /v1/destinations/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** How many deliveries and dead letters may be lost with it; when there are more: 409 with the counts */
      expected?: number | undefined;
    } | undefined;
    answer: undefined;
  };
  /** Add or replace a destination. Secrets that are left out or `(hidden)` are kept. A missing signing secret is generated and shown. Needs a key with the scope `admin` or `lease`. */
  'PUT /v1/destinations/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether to refuse to replace one that is there and differs: 409 with the differences */
      onlyNew?: "true" | "false" | undefined;
      /** The `revision` that was read: 409 when somebody has changed the settings since */
      revision?: string | undefined;
    } | undefined;
    body: DestinationDeclaration;
    answer: DeclaredDestination;
  };
  /** Change settings of a destination. Only those that are given; the others stay as they are. Needs a key with the scope `admin` or `lease`. */
  'PATCH /v1/destinations/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** The `revision` that was read: 409 when somebody has changed the settings since */
      revision?: string | undefined;
    } | undefined;
    body: DestinationChanges;
    answer: DeclaredDestination;
  };
  /** Explain why an event goes there, or not. Every rule of the destination, as it is now. Needs a key with the scope `read`. */
  'GET /v1/destinations/{id}/match': {
    path: {
      id: string;
    };
    query: {
      event: string;
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    };
    answer: {
      wanted: boolean;
      rules: ({
        rule: "events" | "channels" | "classes" | "filter";
        passed: boolean;
        detail: string;
      })[];
      /** The delivery of this event to this destination; null when there never was one */
      delivery: Delivery | null;
    };
  };
  /** Show attempts by hour. How they went in each of the last hours, the current one last. Needs a key with the scope `read` or `lease`. */
  'GET /v1/destinations/{id}/hours': {
    path: {
      id: string;
    };
    query?: {
      /** How many hours, the current one included */
      hours?: number | undefined;
    } | undefined;
    answer: {
      /** Oldest first; hours without attempts are there, with zeros */
      items: ({
        /** When the hour begins */
        at: string;
        /** Attempts that succeeded */
        delivered: number;
        /** Attempts that failed */
        failed: number;
        /** Deliveries whose first attempt succeeded; replays do not count */
        firstTry: number;
        /** How many of `failed` were the last one: the delivery became a dead letter */
        deadLetters: number;
        /** Approximate median of the time an attempt took; null without attempts */
        p50Ms: number | null;
        /** Approximate 95th percentile of the time an attempt took; null without attempts. For `pull`, how long leases were held */
        p95Ms: number | null;
      })[];
      /** All these hours together */
      sum: AttemptFigures;
    };
  };
  /** Pause a destination. New deliveries wait until it is resumed. Needs a key with the scope `admin`. */
  'POST /v1/destinations/{id}/pause': {
    path: {
      id: string;
    };
    body?: {
      reason?: string | undefined;
    } | undefined;
    answer: Destination;
  };
  /** Resume a destination. Deliveries that have waited go first. Needs a key with the scope `admin`. */
  'POST /v1/destinations/{id}/resume': {
    path: {
      id: string;
    };
    answer: Destination;
  };
  /** Apply a list of declarations. Destinations that are not in it stay as they are. Needs a key with the scope `admin`. */
  'POST /v1/destinations/apply': {
    body: {
      destinations: ({
        /** Names the destination in commands, paths and delivery ids. */
        id: string;
        /** Events are POSTed to `url`. */
        type: "webhook";
        /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
        events?: (string)[] | undefined;
        channels?: (string)[] | undefined;
        /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
        classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[] | undefined;
        filter?: string | undefined;
        /** Where events are POSTed: https, or http for addresses that EGRESS_ALLOW opens; no user name, no fragment. */
        url: string;
        /** Standard Webhooks secret: whsec_… (HMAC) or whsk_… (Ed25519), or a list of all live ones during a rotation. Default: generated. */
        secret?: string | (string | {
          secret: string;
          /** It signs until then. */
          until: string;
        })[] | undefined;
        /** The body: our event, the original envelope with one element, or a CloudEvent. */
        format?: "event" | "clickatell" | "cloudevents" | "cloudevents-binary" | undefined;
        /** A JSONata expression over the event; its result is sent instead, as the body or as the data of the CloudEvent. */
        transform?: string | undefined;
        /** Extra headers of each delivery, such as an API key. */
        headers?: {
          [other: string]: string;
        } | undefined;
        /** How the destination recognizes us, beside the signature: bearer, basic or oauth2. */
        auth?: {
          type: "bearer";
          token?: string | undefined;
        } | {
          type: "basic";
          username: (unknown) & (unknown);
          password?: string | undefined;
        } | {
          type: "oauth2";
          /** Where to fetch access tokens; the same rules hold as for `url`. */
          tokenUrl: string;
          clientId: string;
          clientSecret?: string | undefined;
          /** How the token is asked for: with HTTP basic authentication (`header`, the default), or with id and secret in the form (`body`), for services that want that or read the header in a way of their own. */
          secretIn?: "header" | "body" | undefined;
          /** The scope to ask for; separate several with spaces. */
          scope?: string | undefined;
          /** Who the token is for, if the server wants to know. */
          audience?: string | undefined;
        } | undefined;
        /** A client certificate, and authorities to trust, for connections to `url`, which must be https. */
        tls?: {
          /** Our certificate, with those between it and its authority, as PEM. */
          cert?: string | undefined;
          /** Its private key, as PEM without a passphrase. */
          key?: "(hidden)" | string | undefined;
          /** The authorities that the destination's certificate may come from, as PEM, in place of the usual ones. */
          ca?: string | undefined;
        } | undefined;
        /** An HTTP proxy that all connections of this destination go through (CONNECT). */
        proxy?: {
          /** The proxy, such as http://proxy.example.com:3128; the same rules hold as for `url`. */
          url: string;
          username?: (unknown) & (unknown) | undefined;
          password?: string | undefined;
        } | undefined;
        /** What the first 16 KB of the body of a 2xx answer must say for the delivery to count as delivered. */
        successWhen?: {
          /** Text that the body must hold, as it is. */
          contains: string;
        } | {
          /** A place in the body, which must be JSON, such as /result/ok (RFC 6901). */
          pointer: string;
          /** What must stand there. */
          equals: string | number | boolean | null;
        } | undefined;
        /** Time limit of one attempt in ms, from resolving the name to the status line of the answer. */
        timeoutMs?: number | undefined;
        /** How many connections may be open to the destination at once. */
        concurrency?: number | undefined;
        /** At most so many attempts in a time, over all workers: `50/s`, `600/m`. Default: no limit. */
        rate?: string | undefined;
        /** `conversation`: events of one pair of `from` and `to` one after the other, in the order they came; other pairs do not wait for them. Default: `none`. */
        ordering?: "none" | "conversation" | undefined;
        /** The longest wait before each attempt: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the worker. */
        retrySchedule?: string | undefined;
      } | {
        /** Names the destination in commands, paths and delivery ids. */
        id: string;
        /** Events wait until a consumer leases them. */
        type: "pull";
        /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
        events?: (string)[] | undefined;
        channels?: (string)[] | undefined;
        /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
        classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[] | undefined;
        filter?: string | undefined;
        /** At most so many deliveries handed out in a time, over all processes: `50/s`, `600/m`. Default: no limit. */
        rate?: string | undefined;
        /** `conversation`: of one pair of `from` and `to` one delivery is leased at a time, in the order they came; other pairs do not wait for them. Default: `none`. */
        ordering?: "none" | "conversation" | undefined;
        /** The longest wait before a delivery that was given back comes again: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the API. */
        retrySchedule?: string | undefined;
      })[];
      /** Report what would change, and change nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      items: ({
        id: string;
        change: "added" | "changed" | "unchanged";
        /** The fields that changed */
        fields: (string)[];
        /** Whether a secret was generated; `GET /v1/destinations/{id}/secret` shows it */
        madeSecret: boolean;
        /** What is valid and will probably not work: names that no event has, addresses that are not called */
        warnings: (string)[];
      })[];
    };
  };
  /** Show the signing secrets. All that sign deliveries to a webhook destination now, the first one first. Needs a key with the scope `reveal`. */
  'GET /v1/destinations/{id}/secret': {
    path: {
      id: string;
    };
    answer: {
      id: string;
      secrets: (LiveSecret)[];
    };
  };
  /** Rotate the signing secret. The old one signs too for a while. Needs a key with the scope `admin`. */
  'POST /v1/destinations/{id}/rotate-secret': {
    path: {
      id: string;
    };
    body?: {
      /** How long the old secret keeps signing too: `24h`, `7d`; `0s` ends a leaked one at once */
      keepOldFor?: string | undefined;
    } | undefined;
    answer: RotatedSecret;
  };
  /** Send a sample to a webhook. Signed, and marked as a test; no record is kept. Needs a key with the scope `admin`. */
  'POST /v1/destinations/{id}/test': {
    path: {
      id: string;
    };
    body?: {
      /** Which of the documented samples */
      type?: "moText" | "moMedia" | "moLocation" | "moContacts" | "moSuggestedResponse" | "moListPickerResponse" | "moButtonResponse" | "messageStatusUpdate" | undefined;
    } | undefined;
    answer: TestResult;
  };
  /** Lease deliveries of a pull destination. Oldest first; waits for the first one. Needs a key with the scope `lease`. */
  'POST /v1/destinations/{id}/lease': {
    path: {
      id: string;
    };
    body?: {
      /** How many deliveries at most */
      max?: number | undefined;
      /** How long to wait for the first delivery */
      waitMs?: number | undefined;
      /** How long the leases last */
      leaseMs?: number | undefined;
    } | undefined;
    answer: {
      /** Empty when no delivery came in time */
      deliveries: (Lease)[];
    };
  };
  /** Acknowledge a delivery. The work is done. Repeating an ack is safe. Needs a key with the scope `lease`. */
  'POST /v1/destinations/{id}/ack': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** The token that came with the lease */
      leaseToken: string;
    };
    answer: {
      deliveryId: string;
      state: "delivered";
    };
  };
  /** Say that a delivery failed. To be tried again by the schedule, or never. Needs a key with the scope `lease`. */
  'POST /v1/destinations/{id}/nack': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** The token that came with the lease */
      leaseToken: string;
      /** Why it failed; the first 1,000 characters become the error of the attempt */
      error?: string | undefined;
      /** Whether another attempt may help; false makes it a dead letter at once */
      retry?: boolean | undefined;
    };
    answer: {
      deliveryId: string;
      state: "retrying";
      nextAttemptAt: string;
    } | {
      deliveryId: string;
      state: "dead_letter";
    };
  };
  /** Extend a lease. Counted from now. Needs a key with the scope `lease`. */
  'POST /v1/destinations/{id}/extend': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** The token that came with the lease */
      leaseToken: string;
      leaseMs?: number | undefined;
    };
    answer: {
      leaseEndsAt: string;
    };
  };
  /** Peek at what would be leased next. Without taking it. Needs a key with the scope `lease`. */
  'GET /v1/destinations/{id}/peek': {
    path: {
      id: string;
    };
    query?: {
      limit?: number | undefined;
      /** When nothing waits, show the newest events of the log that this destination wants */
      recent?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      deliveries: (PeekedDelivery)[];
      /** Whether these deliveries wait, or come from the log */
      source: "waiting" | "log";
    };
  };
  /** Claim work that must be done once. Each key on its own. A record is kept for `EVENT_RETENTION`. Needs a key with the scope `lease`. */
  'POST /v1/once': {
    body: {
      keys: (string)[];
      /** After that, nobody knows whether it was done */
      holdMs?: number | undefined;
      /** Whether to claim also what nobody knows the end of */
      takeOver?: boolean | undefined;
    };
    answer: {
      /** In the order of the keys */
      claims: (OnceClaim)[];
    };
  };
  /** Say what became of claimed work. Repeating it is safe. Needs a key with the scope `lease`. */
  'POST /v1/once/settle': {
    body: {
      outcomes: ({
        /** Your name of the work. Keys of other API keys are never yours */
        key: string;
        /** The token that came with the claim */
        token: string;
        /** `not_done` lets others claim it; `unknown` when it may have been done */
        outcome: "done" | "not_done" | "unknown";
        /** Told to whoever claims it later. No personal data */
        result?: string | undefined;
      })[];
    };
    answer: {
      /** In the order of the request */
      outcomes: ({
        key: string;
        /** False when the claim is not yours: it took too long, and another has it */
        settled: boolean;
      })[];
    };
  };
  /** Show your key and what it may do */
  'GET /v1/whoami': {
    answer: {
      name: string;
      scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
      destinations: (string)[];
      version: string;
    };
  };
  /** List keys. Oldest first, without `API_KEY`. Needs a key with the scope `admin`. */
  'GET /v1/keys': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Key)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Create a key. With scopes that the key which makes it has too. It is shown this once. Needs a key with the scope `admin`. */
  'POST /v1/keys': {
    body: {
      /** What the list of keys calls it */
      name: string;
      scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
      /** With the scope `lease`: which pull destinations, such as `support-bot` and `n8n-*` */
      destinations?: (string)[] | undefined;
    };
    answer: NewKey;
  };
  /** Remove a key. From now on it is refused. Needs a key with the scope `admin`. */
  'DELETE /v1/keys/{id}': {
    path: {
      /** `key_…` */
      id: string;
    };
    answer: undefined;
  };
  /** Sign a browser in. With a key: the answer sets a cookie that scripts cannot read. */
  'POST /v1/session': {
    body: {
      /** `API_KEY`, or one made by `POST /v1/keys` */
      key: string;
    };
    answer: Session;
  };
  /** Read the session. With its token for changes, which a reloaded page needs. */
  'GET /v1/session': {
    answer: Session;
  };
  /** Sign out */
  'DELETE /v1/session': {
    answer: undefined;
  };
  /** List who changed or revealed what. Replays too. Newest first. Where few of many match, a page may be short and have a `next`. Needs a key with the scope `admin`. */
  'GET /v1/audit': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
      /** Only what this key did, as `by` names it, or its beginning */
      by?: string | undefined;
      /** Only this, or what begins so: `destination.` */
      action?: string | undefined;
      /** Only what was done to this */
      target?: string | undefined;
      /** Done at or after this time */
      since?: string | undefined;
      /** Done before this time */
      until?: string | undefined;
    } | undefined;
    answer: {
      items: (AuditEntry)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Account for every event. For each that was routed to a destination: what became of it, and whether anything is unaccounted for. Needs a key with the scope `read`. */
  'GET /v1/ledger': {
    query?: {
      /** Logged at or after this time. Default: the beginning of the log */
      since?: string | undefined;
      /** Logged before this time; at most now. Default: now */
      until?: string | undefined;
      /** Only this destination */
      destination?: string | undefined;
      /** About how many events one answer covers; it also ends after about 2 seconds */
      limit?: number | undefined;
      /** `next` of the previous part, with the same query */
      cursor?: string | undefined;
    } | undefined;
    answer: Ledger;
  };
  /** Show the intake counts. By minute or hour: callbacks, events, repeats, and what was refused. Needs a key with the scope `read`. */
  'GET /v1/intake': {
    query?: {
      /** Default: 24 hours ago */
      since?: string | undefined;
      /** At most now. Default: now */
      until?: string | undefined;
      /** Minutes are kept for 25 hours, hours for 32 days */
      step?: "minute" | "hour" | undefined;
    } | undefined;
    answer: Intake;
  };
  /** Show attempts of all destinations by hour. How they went in each of the last hours: all together, and for each destination. Needs a key with the scope `read`. */
  'GET /v1/hours': {
    query?: {
      /** How many hours, the current one included */
      hours?: number | undefined;
    } | undefined;
    answer: Hours;
  };
  /** Show Clickatell's own lag. How long after it occurred, by its own `timestamp`, an event arrived here. READ is left out: its time is when a person looked. Needs a key with the scope `read`. */
  'GET /v1/lag': {
    query?: {
      /** How many, the present one included */
      hours?: number | undefined;
    } | undefined;
    answer: Lag;
  };
  /** Show what is wrong, and how to mend it. Judged every 5 seconds, by one API for all. Works while Redis is away, with `API_KEY`. Needs a key with the scope `read`. */
  'GET /v1/health': {
    answer: Health;
  };
  /** Say that somebody knows of a condition. It stays listed, needs nobody and alerts nobody, until a time or until it ends. Needs a key with the scope `admin`. */
  'POST /v1/health/acknowledge': {
    body: {
      code: string;
      /** As `GET /v1/health` names it */
      subject: {
        kind: "relay" | "receiver" | "worker" | "api" | "redis" | "destination" | "channel";
        /** A destination, a channel, or the host of a part; null: all of them */
        id: string | null;
      };
      /** A duration, 30 days at most; null: until it ends */
      for?: string | null | undefined;
      /** What others shall know, no personal data */
      note?: string | null | undefined;
    };
    answer: Condition;
  };
  /** Take an acknowledgement back. The condition needs somebody again, and alerts. Needs a key with the scope `admin`. */
  'POST /v1/health/withdraw': {
    body: {
      code: string;
      /** As `GET /v1/health` names it */
      subject: {
        kind: "relay" | "receiver" | "worker" | "api" | "redis" | "destination" | "channel";
        /** A destination, a channel, or the host of a part; null: all of them */
        id: string | null;
      };
    };
    answer: Condition;
  };
  /** Show how safe callbacks are, and what waits. Needs a key with the scope `read`. */
  'GET /v1/status': {
    answer: Status;
  };
  /** List the processes that work with this Redis, and how each is. Needs a key with the scope `read`. */
  'GET /v1/parts': {
    answer: Parts;
  };
  /** Show how to connect Clickatell. URLs, credential, what has come in, and what is wrong. Needs a key with the scope `read`. */
  'GET /v1/setup': {
    query?: {
      /** Whether to show the credential: needs the scope `reveal`, and is recorded in the audit record */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Setup;
  };
  /** List the credentials of callbacks. Newest first, without secrets: when each was last used, and who accepts it. Needs a key with the scope `read`. */
  'GET /v1/credentials': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Credential)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Make a credential for callbacks. Every receiver accepts it beside the others, without a restart. It is shown this once; `GET /v1/setup` shows it again where this API keeps it. Needs a key with the scope `admin`. */
  'POST /v1/credentials': {
    body?: {
      kind?: "query" | "basic" | "header" | undefined;
      /** The user of a `basic` one, the header of a `header` one */
      name?: string | undefined;
      /** When all others end: `24h`, `7d`. Default: when somebody revokes them */
      endOthersAfter?: string | undefined;
    } | undefined;
    answer: NewCredential;
  };
  /** End a credential. No receiver accepts it any more, even if `CALLBACK_AUTH` lists it. Never the last one. Needs a key with the scope `admin`. */
  'POST /v1/credentials/{id}/revoke': {
    path: {
      /** `crd_…` */
      id: string;
    };
    body?: {
      /** How long it is still accepted: `24h`, `7d` */
      after?: string | undefined;
      /** Also when a callback came with it within the hour before its end */
      evenIfUsed?: boolean | undefined;
    } | undefined;
    answer: RevokedCredential;
  };
  /** Take back the end of a credential. It is accepted again as before. Needs a key with the scope `admin`. */
  'POST /v1/credentials/{id}/restore': {
    path: {
      /** `crd_…` */
      id: string;
    };
    answer: Credential;
  };
  /** Send a test callback to the public URL. As Clickatell would; reports each step. No log and no ledger holds it. Needs a key with the scope `admin`. */
  'POST /v1/setup/test-callback': {
    body?: {
      /** Which of the documented samples */
      type?: "moText" | "moMedia" | "moLocation" | "moContacts" | "moSuggestedResponse" | "moListPickerResponse" | "moButtonResponse" | "messageStatusUpdate" | undefined;
      /** Also deliver it, once and marked as a test, to the webhook destinations that want it */
      deliver?: boolean | undefined;
    } | undefined;
    answer: TestCallback;
  };
  /** Show whether everything arrives. And what needs attention, worst first. Needs a key with the scope `read`. */
  'GET /v1/overview': {
    answer: Overview;
  };
  /** Find an id, or the events of a person. What an id belongs to, or the latest events of a person. A POST, to keep numbers out of URLs. Needs a key with the scope `read`. */
  'POST /v1/find': {
    query?: {
      /** Whether to show personal data: `true` needs the scope `reveal` and is recorded in the audit record. Default: hidden, except for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      /** The id of an event, delivery, message, destination, replay or quarantined callback; your own id of a message; or a person: a phone number as people write it, a WhatsApp user id, a short code, a sender name */
      text: string;
    };
    answer: Found;
  };
  /** List the last 500 alerts. What was told to whom, and what the channel answered. Newest first. Needs a key with the scope `read`. */
  'GET /v1/alerts': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (SentAlert)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** List the channels of alerts. Needs a key with the scope `read`. */
  'GET /v1/alerts/channels': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the previous page */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (AlertChannel)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one channel of alerts. Needs a key with the scope `read`. */
  'GET /v1/alerts/channels/{id}': {
    path: {
      id: string;
    };
    answer: AlertChannel;
  };
  /** Add or replace a channel of alerts. A URL or secret that is left out or `(hidden)` is kept. A missing signing secret is generated and shown. Needs a key with the scope `admin`. */
  'PUT /v1/alerts/channels/{id}': {
    path: {
      id: string;
    };
    body: AlertChannelDeclaration;
    answer: DeclaredAlertChannel;
  };
  /** Remove a channel of alerts. Needs a key with the scope `admin`. */
  'DELETE /v1/alerts/channels/{id}': {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /** Send a test to a channel of alerts. Once, of type `clickrelay.test`. A channel that takes it is failing no more. Needs a key with the scope `admin`. */
  'POST /v1/alerts/channels/{id}/test': {
    path: {
      id: string;
    };
    answer: AlertTestResult;
  };
}
