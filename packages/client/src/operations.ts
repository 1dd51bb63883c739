// Made by scripts/interface-docs.ts from docs/openapi.json. Change the schemas of the API, then run it.

export type DestinationDeclaration = {
  /** Events are POSTed to `url`. */
  type: "webhook";
  /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
  events?: (string)[];
  /** Channels whose events it wants, such as `whatsapp` and `sms`, in any case; all when left out. */
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
    /** The scope to ask for; separate several with spaces. */
    scope?: string;
    /** Who the token is for, if the server wants to know. */
    audience?: string;
  };
  /** Time limit of one attempt in ms, from resolving the name to the status line of the answer. */
  timeoutMs?: number;
  /** How many connections may be open to the destination at once. */
  concurrency?: number;
  /** At most so many attempts in a time, over all workers: `50/s`, `600/m`. Default: no limit. */
  rate?: string;
  /** `conversation`: events of one pair of `from` and `to` one after the other, in the order they came; other pairs do not wait for them. Default: `none`. */
  ordering?: "none" | "conversation";
  /** The longest wait before each attempt: `0s,5s,2m`. Default: RETRY_SCHEDULE of the worker. */
  retrySchedule?: string;
} | {
  /** Events wait until a consumer leases them. */
  type: "pull";
  /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
  events?: (string)[];
  /** Channels whose events it wants, such as `whatsapp` and `sms`, in any case; all when left out. */
  channels?: (string)[];
  /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
  classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[];
  filter?: string;
  /** At most so many deliveries handed out in a time, over all processes: `50/s`, `600/m`. Default: no limit. */
  rate?: string;
  /** `conversation`: of one pair of `from` and `to` one delivery is leased at a time, in the order they came; other pairs do not wait for them. Default: `none`. */
  ordering?: "none" | "conversation";
  /** The longest wait before a delivery that was given back comes again: `0s,5s,2m`. Default: RETRY_SCHEDULE of the API. */
  retrySchedule?: string;
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
  /** Each misfit, without received values. */
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
  /** How many there were */
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
  /** Each misfit, without received values. */
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
  /** What brought it; what an earlier version logged tells less */
  callback: CallbackOfEvent | null;
  /** How often Clickatell sent it again, as far as it was recognised, and when last */
  repeats: {
    count: number;
    lastAt: string | null;
  };
  deliveries: (Delivery)[];
  /** Destinations that it did not go to, and the first rule that it does not pass, as they are now; 100 at most */
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
  /** Of its body, in bytes */
  size: number | null;
  /** How many callbacks one write put on disk, this one included */
  committedTogether: number | null;
  /** How many it has; null when it has very many */
  elements: number | null;
  /** The ids of the other events that came with it and were new */
  others: (string)[];
  /** Whether `others` are all of them: the log is searched around this event only */
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
  /** From 1, in the order of time */
  number: number;
  startedAt: string;
  durationMs: number;
  outcome: "delivered" | "retry" | "dead_letter";
  /** What the destination answered */
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
  /** Your own id of it */
  clientMessageId: string | null;
  channel: string | null;
  /** Where it stands: the first final status by its own time, else the furthest; null without a status */
  current: MessageStatus | null;
  statusCount: number;
  /** By the time at which they happened; the last 500 */
  statuses: (MessageStatus)[];
  /** The message itself, when a customer sent it */
  received: (Event)[];
  replyCount: number;
  /** What refers to it, by the time at which it happened; the last 500 */
  replies: (Event)[];
  /** Of each event that is shown: how often Clickatell sent it again, and how far its deliveries are */
  became: ({
    eventId: string;
    repeats: number;
    deliveries: (DeliverySummary)[];
  })[];
  /** Whether every event of it was looked at; false when it has more than 10,000 */
  complete: boolean;
};

export type MessageStatus = {
  /** Of the event */
  id: string;
  code: number | null;
  name: string | null;
  class: "pending" | "delivered" | "read" | "failed" | "unknown";
  /** No other status follows */
  final: boolean;
  occurredAt: string | null;
  receivedAt: string;
  /** Received after a status that happened later; it takes nothing back */
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
  /** Each misfit, without received values. */
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

export type DeadLetter = {
  deliveryId: string;
  eventId: string;
  destinationId: string;
  eventType: string;
  /** The destination did not take it, we could not build it, or it seems to crash its consumers */
  kind: "refused" | "not_built" | "crashes_consumer";
  error: string;
  /** Of the last attempt; explained in docs/errors.md. Null when its attempts are gone */
  errorCode: string | null;
  /** What the destination answered to the last attempt; null when it did not */
  status: number | null;
  /** When its callback came; null when the event is gone */
  receivedAt: string | null;
  failedAt: string;
  attempts: number;
};

export type DeadLetterGroup = {
  destinationId: string;
  /** The destination did not take it, we could not build it, or it seems to crash its consumers */
  kind: "refused" | "not_built" | "crashes_consumer";
  errorCode: string | null;
  /** Of the newest; others differ from it in numbers only */
  error: string;
  count: number;
  newest: string;
  oldest: string;
  /** The delivery id of the newest */
  sample: string;
};

export type Replay = {
  /** `rpl_…` */
  id: string;
  /** The name of the key that asked for it */
  by: string;
  createdAt: string;
  /** `paused` is to go on some time, `cancelled` is given up; either can be let go on */
  state: "running" | "paused" | "cancelled" | "done";
  selection: {
    state: "dead_letter" | "delivered";
    /** How many deliveries were named */
    deliveryCount?: number;
    /** How many were named as exceptions */
    exceptCount?: number;
    /** Of this destination only */
    destination?: string;
    /** The destination did not take it, we could not build it, or it seems to crash its consumers */
    kind?: "refused" | "not_built" | "crashes_consumer";
    /** Patterns of event types: `mo*` */
    events?: (string)[];
    /** Dead letters that failed, or events that came, at or after this time */
    since?: string;
    until: string;
    /** An expression (CEL) over `event` that must be true */
    filter?: string;
  };
  rate: string | null;
  /** Chosen when it was made; null when they were too many to be counted */
  matched: number | null;
  /** Sent again so far */
  replayed: number;
  /** Of those that were sent again */
  delivered: number;
  /** Of those that were sent again: dead letters again */
  failed: number;
  /** Chosen, but on their way already */
  skipped: number;
};

export type Quarantined = {
  /** `qrt_…` */
  id: string;
  receivedAt: string;
  /** Why it could not be parsed */
  reason: string;
  bytes: number;
};

export type QuarantinedWithBody = {
  /** `qrt_…` */
  id: string;
  receivedAt: string;
  /** Why it could not be parsed */
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
  /** Why nothing is sent at the moment; null when sending */
  paused: string | null;
  /** Nothing is sent until then: it asked for that, or failed too often in a row; null when sending */
  held: {
    reason: "throttled" | "failing";
    until: string;
  } | null;
  /** Shown in the answer that made it; hidden otherwise */
  secret?: string;
  [other: string]: unknown;
};

export type AttemptFigures = {
  /** Attempts that delivered */
  delivered: number;
  /** Attempts that did not */
  failed: number;
  /** Deliveries whose first attempt delivered; of replays none is */
  firstTry: number;
  /** 95 of 100 attempts took no longer, about; null when there was none. Of `pull`, how long leases were held */
  p95Ms: number | null;
  /** Of all attempts, 0 to 1; null when there was none */
  deliveredShare: number | null;
  /** Of the attempts that delivered, those that were the first, 0 to 1; null when there was none */
  firstTryShare: number | null;
};

export type RotatedSecret = {
  id: string;
  /** The new one; two when HMAC and Ed25519 keys were both in use */
  secrets: (string)[];
  /** Until when the old one signs too; null when it has ended */
  oldUntil: string | null;
};

export type TestResult = {
  /** Whether this would have counted as delivered */
  delivered: boolean;
  /** What the destination answered; null when it did not */
  status: number | null;
  durationMs: number;
  /** The first 16 KB of the answer */
  response: string;
  error: {
    code: string;
    message: string;
  } | null;
  /** How the event was written */
  format: "event" | "clickatell" | "cloudevents" | "cloudevents-binary";
  /** What was sent */
  event: Event;
};

export type Lease = {
  /** `dlv_<destination>_<event>` */
  deliveryId: string;
  /** To ack, nack or extend with */
  leaseToken: string;
  /** From 1: how often it was handed out, and nacked or not answered, before */
  attempt: number;
  /** It comes back after this unless it is acked, nacked or extended */
  leaseEndsAt: string;
  event: Event;
};

export type PeekedDelivery = {
  /** `dlv_<destination>_<event>` */
  deliveryId: string;
  /** From 1: how often it was handed out, and nacked or not answered, before */
  attempt: number;
  event: Event;
};

export type Key = {
  /** `key_…` */
  id: string;
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** What the scope `lease` is bound to */
  destinations: (string)[];
  createdAt: string;
};

export type NewKey = {
  /** `key_…` */
  id: string;
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** What the scope `lease` is bound to */
  destinations: (string)[];
  createdAt: string;
  /** `crk_…` */
  key: string;
};

export type Session = {
  /** Of the key */
  name: string;
  scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
  /** To be sent as `x-csrf-token` with whatever changes something */
  csrfToken: string;
};

export type AuditEntry = {
  /** `aud_…` */
  id: string;
  at: string;
  /** The key that was used: `API_KEY`, or its name and id */
  by: string;
  /** What was done, such as `destination.removed` */
  action: string;
  /** The id of what it was done to */
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
  /** Events looked at */
  events: number;
  /** Those of them that no destination wanted */
  unrouted: number;
  /** Events before this time may have left the log, because they were owed to nobody */
  completeSince: string | null;
  destinations: (DestinationLedger)[];
  /** What was accepted and is in no column, now; what waits in the spool of a receiver, that one knows */
  upstream: {
    /** Groups of callbacks with messages that are no events yet, or not routed to the end */
    messages: number;
    /** The same of statuses */
    statuses: number;
    /** Callbacks that could not be read */
    quarantined: number;
  };
  /** What came in, of all destinations: counted with the events, and so in whole minutes of the last 25 hours, or whole hours of the last 32 days: `from` and `to` say which */
  intake: {
    from: string;
    to: string;
    messages: IntakeCounts;
    statuses: IntakeCounts;
  };
  /** Share of the log that was walked, 0 to 1 */
  progress: number;
  /** `cursor` of the next part, whose numbers are to be added; null at the end */
  next: string | null;
};

export type DestinationLedger = {
  id: string;
  /** Events routed to it: the sum of all the columns, `retrying` apart */
  accepted: number;
  delivered: number;
  /** Waiting, under way, or waiting for another attempt */
  pending: number;
  /** Those of `pending` and `parked` that failed before */
  retrying: number;
  /** Kept and not tried: the destination is paused, or fails so often that only probes are sent */
  parked: number;
  /** Dead letters */
  dead: number;
  /** Given up: a dead letter that was removed, or the destination was */
  removed: number;
  /** Nobody will ever send these. Not 0 is an alarm */
  unaccounted: number;
  /** Some of those that are unaccounted for; each can be replayed */
  differing: ({
    deliveryId: string;
    eventId: string;
    /** Routed and no delivery known; pending without a job; dead and not among the dead letters */
    problem: "never_queued" | "no_job" | "no_dead_letter";
  })[];
};

export type IntakeCounts = {
  /** Callbacks that were accepted and read */
  callbacks: number;
  /** Events that were new */
  events: number;
  /** Elements that Clickatell had sent before: dropped */
  repeats: number;
};

export type Intake = {
  from: string;
  to: string;
  step: "minute" | "hour";
  /** Oldest first; those in which nothing came are left out */
  items: ({
    /** When it begins */
    at: string;
    messages: IntakeCounts;
    statuses: IntakeCounts;
    refused: RefusalCounts;
  })[];
};

export type RefusalCounts = {
  /** 401: no credential, or a wrong one */
  unauthorized: number;
  /** 403: from an address or of an integration that is not allowed */
  forbidden: number;
  /** 413 */
  tooLarge: number;
  /** 422 */
  unprocessable: number;
  /** 429: too many wrong credentials from one address */
  rateLimited: number;
  /** 503: there was nothing durable to write them to */
  unavailable: number;
};

export type Status = {
  version: string;
  durability: Durability;
  /** What the event log holds */
  eventLogBytes: number;
  /** Groups of callbacks that are not routed yet */
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
};

export type Durability = {
  ready: boolean;
  /** What is asked of the Redis: DURABILITY */
  mode: string;
  /** What the Redis really does */
  durability: string;
  /** What that mode does not promise */
  mayBeLost: string;
  problems: ({
    setting: string;
    value: string;
    mend: string;
  })[];
};

export type Setup = {
  /** PUBLIC_URL; null when it is not set */
  publicUrl: string | null;
  callbackUrls: {
    /** To be pasted into the portal; null without PUBLIC_URL */
    public: {
      replies: string;
      statuses: string;
    } | null;
    /** On the machine of the receiver; null while there is none */
    local: {
      replies: string;
      statuses: string;
    } | null;
  };
  /** Either path takes either kind: what a callback is comes from its body */
  accepts: ({
    path: string;
    meantFor: "messages" | "statuses";
    kinds: (string)[];
  })[];
  /** Any one of them suffices; null when the API is not told CALLBACK_AUTH */
  credentials: ({
    kind: "basic" | "header" | "query" | "none";
    /** The user, the header, or the parameter of the query */
    name: string | null;
    secret: string | null;
  })[] | null;
  received: {
    messages: {
      /** Null when none ever came */
      firstAt: string | null;
      lastAt: string | null;
      /** Callbacks */
      last24h: number;
    };
    statuses: {
      /** Null when none ever came */
      firstAt: string | null;
      lastAt: string | null;
      /** Callbacks */
      last24h: number;
    };
  };
  receivers: (Receiver)[];
  problems: ({
    /** Stable */
    code: "no_receiver" | "receiver_not_ready" | "credential_unknown" | "no_credential" | "no_public_url" | "public_url_not_https" | "nothing_received";
    message: string;
    /** What to do */
    mend: string;
  })[];
};

export type Receiver = {
  /** `host:pid` */
  process: string;
  /** When it was heard of last; one that is gone is left out after 16 seconds */
  at: string;
  version: string;
  host: string;
  port: number;
  pathPrefix: string;
  /** The kinds of its live credentials */
  credentials: (string)[];
  /** CALLBACK_ALLOW_IPS; empty: any address may call */
  allowIps: (string)[];
  /** CALLBACK_INTEGRATION_IDS; empty: any */
  integrationIds: (string)[];
  maxBodyBytes: number;
  /** Whether a callback sent now would be accepted, and how safe it would be */
  readiness: Durability;
  /** Null when it has none */
  spool: {
    records: number;
    bytes: number;
    [other: string]: unknown;
  } | null;
};

export type TestCallback = {
  /** Whether every step is */
  ok: boolean;
  /** `local` without PUBLIC_URL: only the receiver itself was tested */
  through: "public" | "local";
  /** Without the credential */
  url: string;
  /** In their order; those after one that is not ok are left out */
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
  /** Ids of the destinations that a real one would go to */
  wantedBy: (string)[];
  /** With `deliver`; consumers of pull destinations are not given a test */
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
  /** Whether nothing needs anybody */
  healthy: boolean;
  needs: ({
    kind: "not_durable" | "failing" | "paused" | "dead_letters" | "quarantined" | "throttled";
    /** Null when it is about none */
    destinationId: string | null;
    /** Deliveries, dead letters or callbacks that wait because of it */
    count: number;
    detail: string;
  })[];
  /** When the newest event of the log was received */
  lastEventAt: string | null;
  /** Groups of callbacks that are no events yet */
  ingest: {
    messages: number;
    statuses: number;
  };
  /** When the oldest of those was committed */
  ingestOldestAt: {
    messages: string | null;
    statuses: string | null;
  };
  quarantined: number;
  /** Callbacks that receivers did not take: what a receiver counted is known within 5 seconds */
  refused: {
    /** In the last whole minute */
    lastMinute: RefusalCounts;
    /** In the present hour and the 23 before it */
    last24h: RefusalCounts;
  };
  destinations: ({
    id: string;
    type: string;
    state: "paused" | "failing" | "throttled" | "active";
    /** When it is tried again, where it is failing or throttled */
    until: string | null;
    /** Deliveries that are to be made, under way or to be tried again */
    waiting: number;
    /** When the oldest of those was queued */
    oldestAt: string | null;
    /** Why, when it is */
    paused: string | null;
    deadLetters: number;
    /** Of the present hour and the 23 before it */
    last24h: AttemptFigures;
  })[];
};

export type Found = {
  /** What it is; null for what is none of these here */
  recognised: "event_id" | "delivery_id" | "quarantine_id" | "replay_id" | "destination_id" | "message_id" | "client_message_id" | "phone_number" | null;
  /** Of a phone number: its keyed hash, `pty_…`, which may stand in an address: `GET /v1/events?party=` */
  party: string | null;
  hits: ({
    kind: "event" | "delivery" | "message" | "destination" | "quarantined" | "replay";
    id: string;
  })[];
  /** Of a phone number: those events, newest first */
  events: (Event)[];
  /** Whether there is no more: a number is looked for in the latest 20000 events, for 2 seconds */
  complete: boolean;
};

/** Everything that the API can do. */
export interface Operations {
  /** List events, newest first; or, with `order=asc`, follow them as they come in */
  'GET /v1/events': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
      order?: "desc" | "asc" | undefined;
      /** Event types or patterns of them (`mo*`), with commas between them */
      type?: string | undefined;
      /** Of this channel, in any case */
      channel?: string | undefined;
      /** Status updates of this class only */
      class?: "pending" | "delivered" | "read" | "failed" | "unknown" | undefined;
      /** From or to the number of which this is the keyed hash: `POST /v1/find` tells it */
      party?: string | undefined;
      /** Tell of each event how far its deliveries are */
      include?: "deliveries" | undefined;
      count?: "estimate" | undefined;
      /** Logged at or after this time */
      since?: string | undefined;
      /** Logged before this time; with `order=desc` only */
      until?: string | undefined;
      /** With `order=asc`: `next` of the page before. Without it, and without `since`, the list begins now */
      after?: string | undefined;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (ListedEvent)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
      /** With `count=estimate`: how many there are on all pages */
      count?: {
        events: number;
        /** Otherwise it is what the latest 500 of them let expect */
        exact: boolean;
      };
    };
  };
  /** Read one event, what brought it, where it went and every attempt */
  'GET /v1/events/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: EventWithDeliveries;
  };
  /** Read what became of a message: its statuses, where it stands, and the replies to it */
  'GET /v1/messages/{messageId}': {
    path: {
      /** `apiMessageId` of the send response, or the id of a reply */
      messageId: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Message;
  };
  /** Find messages by your own id of them */
  'GET /v1/messages': {
    query: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
      /** As you sent it. One id may have been given to several */
      clientMessageId: string;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    };
    answer: {
      items: (Message)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Find messages by their events again, a part of the event log at a time, for when that index was lost */
  'POST /v1/messages/reindex': {
    query?: {
      /** About how many events at once */
      limit?: number | undefined;
      /** `next` of the part before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      /** How many were looked at */
      events: number;
      /** `cursor` of the next part; null at the end */
      next: string | null;
    };
  };
  /** List what a destination is still to get, in the order in which it will be tried, with the attempts so far */
  'GET /v1/deliveries': {
    query: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
      destination: string;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    };
    answer: {
      items: (Delivery)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one delivery with its attempts */
  'GET /v1/deliveries/{id}': {
    path: {
      /** `dlv_…` */
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Delivery;
  };
  /** Send a delivery again, dead or delivered: from the first attempt on, with the same event id */
  'POST /v1/deliveries/{id}/replay': {
    path: {
      /** `dlv_…` */
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Delivery;
  };
  /** List deliveries that ended without success, newest first */
  'GET /v1/dead-letters': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
      /** Of this destination only */
      destination?: string | undefined;
      /** The destination did not take it, we could not build it, or it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (DeadLetter)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Give many dead letters up for good; or, with `dryRun`, only tell which */
  'POST /v1/dead-letters/remove': {
    body: {
      /** Just these, by delivery id; not together with what chooses by anything else but the state and `until` */
      deliveries?: (string)[] | undefined;
      /** All that match but these, by delivery id */
      except?: (string)[] | undefined;
      /** Of this destination only */
      destination?: string | undefined;
      /** The destination did not take it, we could not build it, or it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Patterns of event types: `mo*` */
      events?: (string)[] | undefined;
      /** Dead letters that failed, or events that came, at or after this time */
      since?: string | undefined;
      /** Before this time; at most the present */
      until?: string | undefined;
      /** An expression (CEL) over `event` that must be true */
      filter?: string | undefined;
      /** How many match, as the dry run told; may be left out up to 100. With another number nothing is done */
      expected?: number | undefined;
      /** Tell what would be removed, and remove nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      /** How many are chosen; null when they are too many to be counted */
      matched: number | null;
      /** What was named, or matches, and is not chosen; see docs/api.md */
      leftOut: ({
        reason: "excepted" | "already_pending" | "delivered" | "dead_letter" | "failed_since" | "removed" | "event_gone" | "destination_gone" | "unknown";
        count: number;
      })[];
      /** When the event of the oldest came; null when that is not known */
      oldest: string | null;
      /** Sent along with the real request, it keeps out what comes in between */
      until: string;
      removed: number;
      /** Time was up: `expected` of the next request. Null when they are not counted */
      left: number | null;
    };
  };
  /** Give a dead letter up for good */
  'DELETE /v1/dead-letters/{deliveryId}': {
    path: {
      deliveryId: string;
    };
    answer: undefined;
  };
  /** Count dead letters by destination and cause, the most first */
  'GET /v1/dead-letters/groups': {
    query?: {
      /** Of this destination only */
      destination?: string | undefined;
      /** `next` of the part before */
      cursor?: string | undefined;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      groups: (DeadLetterGroup)[];
      counted: number;
      /** `cursor` of the next part, whose groups are to be added to these; null at the end */
      next: string | null;
    };
  };
  /** Send many deliveries again, at a rate; or, with `dryRun`, only tell which */
  'POST /v1/replays': {
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      /** Just these, by delivery id; not together with what chooses by anything else but the state and `until` */
      deliveries?: (string)[] | undefined;
      /** All that match but these, by delivery id */
      except?: (string)[] | undefined;
      /** Of this destination only */
      destination?: string | undefined;
      /** The destination did not take it, we could not build it, or it seems to crash its consumers */
      kind?: "refused" | "not_built" | "crashes_consumer" | undefined;
      /** Patterns of event types: `mo*` */
      events?: (string)[] | undefined;
      /** Dead letters that failed, or events that came, at or after this time */
      since?: string | undefined;
      /** Before this time; at most the present */
      until?: string | undefined;
      /** An expression (CEL) over `event` that must be true */
      filter?: string | undefined;
      /** What is sent again, also of `deliveries`: one that was delivered since is not sent twice */
      state?: "dead_letter" | "delivered" | undefined;
      /** At most so many in a time: `500/s`. Default: as fast as it goes */
      rate?: string | undefined;
      /** Tell what would be sent again, and send nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      /** How many are chosen; null when they are too many to be counted */
      matched: number | null;
      /** What was named, or matches, and is not chosen; see docs/api.md */
      leftOut: ({
        reason: "excepted" | "already_pending" | "delivered" | "dead_letter" | "failed_since" | "removed" | "event_gone" | "destination_gone" | "unknown";
        count: number;
      })[];
      /** When the event of the oldest came; null when that is not known */
      oldest: string | null;
      /** Sent along with the real request, it keeps out what comes in between */
      until: string;
      /** How long it takes at the rate; null without one */
      seconds: number | null;
      /** Null for a dry run */
      replay: Replay | null;
    };
  };
  /** List replays of many deliveries, newest first: who asked for what, and how far it is */
  'GET /v1/replays': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      items: (Replay)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one replay of many deliveries */
  'GET /v1/replays/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Replay;
  };
  /** Pause or cancel a replay, or let it go on where it stopped; one that is done stays done */
  'PATCH /v1/replays/{id}': {
    path: {
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      state: "running" | "paused" | "cancelled";
    };
    answer: Replay;
  };
  /** List the deliveries of a replay that became dead letters again */
  'GET /v1/replays/{id}/failed': {
    path: {
      id: string;
    };
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (string)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** List authentic callbacks that could not be parsed, newest first */
  'GET /v1/quarantine': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Quarantined)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one, with its body as it came */
  'GET /v1/quarantine/{id}': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: QuarantinedWithBody;
  };
  /** Throw it away */
  'DELETE /v1/quarantine/{id}': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    answer: undefined;
  };
  /** Parse it again, for when a newer version understands it; it leaves quarantine as a committed callback */
  'POST /v1/quarantine/{id}/reparse': {
    path: {
      /** `qrt_…` */
      id: string;
    };
    answer: {
      /** How many events it holds */
      accepted: number;
    };
  };
  /** List destinations, by id */
  'GET /v1/destinations': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Destination)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Read one destination */
  'GET /v1/destinations/{id}': {
    path: {
      id: string;
    };
    answer: Destination;
  };
  /** Remove a destination together with its waiting deliveries and its dead letters; events stay in the log */
  'DELETE /v1/destinations/{id}': {
    path: {
      id: string;
    };
    answer: undefined;
  };
  /** Add or replace a destination; secrets that are left out, or `(hidden)`, are kept; a signing secret that is missing is generated and shown */
  'PUT /v1/destinations/{id}': {
    path: {
      id: string;
    };
    body: DestinationDeclaration;
    answer: Destination;
  };
  /** Why an event goes to a destination, or does not: every rule of the destination, as it is now */
  'GET /v1/destinations/{id}/match': {
    path: {
      id: string;
    };
    query: {
      event: string;
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    };
    answer: {
      wanted: boolean;
      rules: ({
        rule: "events" | "channels" | "classes" | "filter";
        passed: boolean;
        detail: string;
      })[];
      /** What became of it there; null when it never was for this destination */
      delivery: Delivery | null;
    };
  };
  /** How attempts went in each of the last hours, the present one last */
  'GET /v1/destinations/{id}/hours': {
    path: {
      id: string;
    };
    query?: {
      /** How many, the present one included */
      hours?: number | undefined;
    } | undefined;
    answer: {
      /** Oldest first; those in which nothing was attempted too, with zeros */
      items: ({
        /** When it begins */
        at: string;
        /** Attempts that delivered */
        delivered: number;
        /** Attempts that did not */
        failed: number;
        /** Deliveries whose first attempt delivered; of replays none is */
        firstTry: number;
        /** 95 of 100 attempts took no longer, about; null when there was none. Of `pull`, how long leases were held */
        p95Ms: number | null;
      })[];
      /** Of all of them */
      sum: AttemptFigures;
    };
  };
  /** Send nothing more until resumed; what comes in waits */
  'POST /v1/destinations/{id}/pause': {
    path: {
      id: string;
    };
    body?: {
      reason?: string | undefined;
    } | undefined;
    answer: Destination;
  };
  /** Send again, what has waited first */
  'POST /v1/destinations/{id}/resume': {
    path: {
      id: string;
    };
    answer: Destination;
  };
  /** Make the registry hold what is declared; destinations that are not named stay as they are */
  'POST /v1/destinations/apply': {
    body: {
      destinations: ({
        /** Names the destination in commands, paths and delivery ids. */
        id: string;
        /** Events are POSTed to `url`. */
        type: "webhook";
        /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
        events?: (string)[] | undefined;
        /** Channels whose events it wants, such as `whatsapp` and `sms`, in any case; all when left out. */
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
          /** The scope to ask for; separate several with spaces. */
          scope?: string | undefined;
          /** Who the token is for, if the server wants to know. */
          audience?: string | undefined;
        } | undefined;
        /** Time limit of one attempt in ms, from resolving the name to the status line of the answer. */
        timeoutMs?: number | undefined;
        /** How many connections may be open to the destination at once. */
        concurrency?: number | undefined;
        /** At most so many attempts in a time, over all workers: `50/s`, `600/m`. Default: no limit. */
        rate?: string | undefined;
        /** `conversation`: events of one pair of `from` and `to` one after the other, in the order they came; other pairs do not wait for them. Default: `none`. */
        ordering?: "none" | "conversation" | undefined;
        /** The longest wait before each attempt: `0s,5s,2m`. Default: RETRY_SCHEDULE of the worker. */
        retrySchedule?: string | undefined;
      } | {
        /** Names the destination in commands, paths and delivery ids. */
        id: string;
        /** Events wait until a consumer leases them. */
        type: "pull";
        /** Event types it wants; `*` stands for any characters: `mo*`, `moText`, `*`. */
        events?: (string)[] | undefined;
        /** Channels whose events it wants, such as `whatsapp` and `sms`, in any case; all when left out. */
        channels?: (string)[] | undefined;
        /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
        classes?: ("pending" | "delivered" | "read" | "failed" | "unknown")[] | undefined;
        filter?: string | undefined;
        /** At most so many deliveries handed out in a time, over all processes: `50/s`, `600/m`. Default: no limit. */
        rate?: string | undefined;
        /** `conversation`: of one pair of `from` and `to` one delivery is leased at a time, in the order they came; other pairs do not wait for them. Default: `none`. */
        ordering?: "none" | "conversation" | undefined;
        /** The longest wait before a delivery that was given back comes again: `0s,5s,2m`. Default: RETRY_SCHEDULE of the API. */
        retrySchedule?: string | undefined;
      })[];
      /** Say what would change, and change nothing */
      dryRun?: boolean | undefined;
    };
    answer: {
      items: ({
        id: string;
        change: "added" | "changed" | "unchanged";
        /** Those that differ from what was there */
        fields: (string)[];
        /** One was generated; `GET /v1/destinations/{id}/secret` shows it */
        madeSecret: boolean;
      })[];
    };
  };
  /** Show what deliveries to a webhook destination are signed with: to compare, or because it was generated */
  'GET /v1/destinations/{id}/secret': {
    path: {
      id: string;
    };
    answer: {
      id: string;
      secret: string | (string | {
        secret: string;
        /** It signs until then. */
        until: string;
      })[];
    };
  };
  /** Sign with a new secret, and for a while with the old one too */
  'POST /v1/destinations/{id}/rotate-secret': {
    path: {
      id: string;
    };
    body?: {
      /** How long the old secret signs too: `24h`, `7d`; `0s` ends it at once, for one that leaked */
      keepOldFor?: string | undefined;
    } | undefined;
    answer: RotatedSecret;
  };
  /** Send a sample to a webhook destination, signed and marked as a test; nothing of it is kept */
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
  /** Take deliveries of a pull destination for a time, the oldest first; waits for the first one */
  'POST /v1/destinations/{id}/lease': {
    path: {
      id: string;
    };
    body?: {
      /** How many at most */
      max?: number | undefined;
      /** How long to wait for the first */
      waitMs?: number | undefined;
      /** How long they are yours */
      leaseMs?: number | undefined;
    } | undefined;
    answer: {
      /** Empty when none came in time */
      deliveries: (Lease)[];
    };
  };
  /** The work is done; the same ack again is answered the same */
  'POST /v1/destinations/{id}/ack': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** As it was handed out */
      leaseToken: string;
    };
    answer: {
      deliveryId: string;
      state: "delivered";
    };
  };
  /** The work could not be done: try it again by the schedule, or never */
  'POST /v1/destinations/{id}/nack': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** As it was handed out */
      leaseToken: string;
      /** Why; the first 1,000 characters are kept as the error of the attempt */
      error?: string | undefined;
      /** Whether trying again may help; false makes it a dead letter at once */
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
  /** Hold a lease for longer, counted from now */
  'POST /v1/destinations/{id}/extend': {
    path: {
      id: string;
    };
    body: {
      /** `dlv_…` */
      deliveryId: string;
      /** As it was handed out */
      leaseToken: string;
      leaseMs?: number | undefined;
    };
    answer: {
      leaseEndsAt: string;
    };
  };
  /** Look at what would be leased next, and take nothing */
  'GET /v1/destinations/{id}/peek': {
    path: {
      id: string;
    };
    query?: {
      limit?: number | undefined;
      /** When nothing waits: the newest events in the log that this destination would want */
      recent?: "true" | "false" | undefined;
    } | undefined;
    answer: {
      deliveries: (PeekedDelivery)[];
      /** Whether these wait, or were found in the log */
      source: "waiting" | "log";
    };
  };
  /** Whose key this is, and what it may do */
  'GET /v1/whoami': {
    answer: {
      name: string;
      scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
      destinations: (string)[];
      version: string;
    };
  };
  /** List keys, oldest first; `API_KEY` is none of them */
  'GET /v1/keys': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (Key)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Make a key; it is shown this once */
  'POST /v1/keys': {
    body: {
      /** For those who look at the list of keys */
      name: string;
      scopes: ("read" | "reveal" | "replay" | "admin" | "lease")[];
      /** With the scope `lease`: which pull destinations, such as `support-bot` and `n8n-*` */
      destinations?: (string)[] | undefined;
    };
    answer: NewKey;
  };
  /** Remove a key; it opens nothing from now on */
  'DELETE /v1/keys/{id}': {
    path: {
      /** `key_…` */
      id: string;
    };
    answer: undefined;
  };
  /** Sign in with a key: the answer sets a cookie, which scripts cannot read, for a browser */
  'POST /v1/session': {
    body: {
      /** `API_KEY`, or one made by `POST /v1/keys` */
      key: string;
    };
    answer: Session;
  };
  /** Read whose session this is, and the token for changes: a page that was loaded again needs it */
  'GET /v1/session': {
    answer: Session;
  };
  /** Sign out */
  'DELETE /v1/session': {
    answer: undefined;
  };
  /** List who changed, replayed or was shown what, newest first */
  'GET /v1/audit': {
    query?: {
      /** How many items at most */
      limit?: number | undefined;
      /** `next` of the page before */
      cursor?: string | undefined;
    } | undefined;
    answer: {
      items: (AuditEntry)[];
      /** `cursor` of the next page; null at the end */
      next: string | null;
    };
  };
  /** Tell what became of every event that was routed to a destination, and whether anything is unaccounted for */
  'GET /v1/ledger': {
    query?: {
      /** Logged at or after this time; without it from the beginning of the log */
      from?: string | undefined;
      /** Logged before this time; without it, or later than now, until now */
      to?: string | undefined;
      /** Of this destination only */
      destination?: string | undefined;
      /** About how many events one answer looks at; it also ends after about 2 seconds */
      limit?: number | undefined;
      /** `next` of the part before, with the same query */
      cursor?: string | undefined;
    } | undefined;
    answer: Ledger;
  };
  /** Count what came in, minute by minute or hour by hour: callbacks, events, repetitions, and what was refused */
  'GET /v1/intake': {
    query?: {
      /** Without it, 24 hours ago */
      from?: string | undefined;
      /** Without it, or later than now, until now */
      to?: string | undefined;
      /** Minutes are known of the last 25 hours, hours of 32 days */
      step?: "minute" | "hour" | undefined;
    } | undefined;
    answer: Intake;
  };
  /** How safe callbacks are, and what waits where */
  'GET /v1/status': {
    answer: Status;
  };
  /** Tell what a person needs to connect Clickatell: addresses, credential, what has come, and what is wrong */
  'GET /v1/setup': {
    query?: {
      /** Whether the credential is shown: needs the scope `reveal`, and is written into the audit record */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    answer: Setup;
  };
  /** Send a test callback through the public address, as Clickatell would, and tell of each step; it is in no log and no ledger */
  'POST /v1/setup/test-callback': {
    body?: {
      /** Which of the documented samples */
      type?: "moText" | "moMedia" | "moLocation" | "moContacts" | "moSuggestedResponse" | "moListPickerResponse" | "moButtonResponse" | "messageStatusUpdate" | undefined;
      /** Also deliver it to the webhook destinations that want it, marked as a test, once */
      deliver?: boolean | undefined;
    } | undefined;
    answer: TestCallback;
  };
  /** Tell whether everything arrives, and what needs somebody, the worst first */
  'GET /v1/overview': {
    answer: Overview;
  };
  /** Find what an id belongs to, or the latest events of a phone number; a POST, so that no number is in a URL */
  'POST /v1/find': {
    query?: {
      /** Whether personal data is shown: `true` needs the scope `reveal` and is written into the audit record. Default: hidden, but for `API_KEY` */
      reveal?: "true" | "false" | undefined;
    } | undefined;
    body: {
      /** The id of an event, delivery, message, destination; your own id of a message; a phone number */
      text: string;
    };
    answer: Found;
  };
}
