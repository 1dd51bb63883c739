// Callbacks in, events out: all that most users need.

export {
  type Callback,
  type Envelope,
  type EventType,
  isName,
  type Lane,
  MAX_DEPTH,
  parseCallback,
  STATUS_TYPE,
} from './callback.ts';
export {
  type Event,
  type EventOf,
  eachEvent,
  eventSchema,
  isKnownEvent,
  type KnownEvent,
  type LoggedEvent,
  restoreEvent,
  type StoredEvent,
  splitCallback,
} from './event.ts';
export { FORMATS, type Format, type FormattedEvent, formatEvent } from './formats.ts';

// Event types, their data and their statuses.

export { compareStatuses, currentStatus, type TimedStatus } from './current-status.ts';
export {
  type ButtonResponseData,
  type ContactsData,
  type DataOf,
  isKnownEventType,
  KNOWN_EVENT_TYPES,
  type KnownEventType,
  type ListPickerResponseData,
  type LocationData,
  type MediaData,
  type MediaFile,
  type StatusData,
  type SuggestedResponseData,
  type TextData,
  type WireOf,
} from './data.ts';
export { jsonSchemas } from './json-schema.ts';
export { describeMessage, type MessageTimeline, type TimelineStatus } from './message-timeline.ts';
export {
  moButtonResponse,
  moContacts,
  moListPickerResponse,
  moLocation,
  moMedia,
  moSuggestedResponse,
  moText,
} from './replies.ts';
export { classifyStatus, type MessageStatus, STATUS_CLASSES, STATUSES, type StatusClass } from './status-codes.ts';
export { messageStatusUpdate } from './status-update.ts';

// Ids.

export { elementSources } from './element-sources.ts';
export { EVENT_ID, eventId, SHARDS, shardOf } from './event-id.ts';
export { personOf } from './person.ts';

// Ledgers.

export { addLedgers, type DestinationLedger, type Difference, type Ledger, MOST_DIFFERING } from './ledger.ts';

// Destinations and adapters.

export {
  type Adapter,
  type AdapterModule,
  type AdapterTools,
  type Deliverer,
  type DeliveryAttempt,
  DeliveryError,
  type DeliveryErrorCode,
  type DeliveryErrorOptions,
  type DeliveryReceipt,
  type OpenedFor,
  type PluggedAdapter,
} from './adapter.ts';
export {
  DESTINATION_ID,
  type DestinationBase,
  deliveryId,
  destinationBase,
  matchesEventType,
  parseDeliveryId,
  pullDestination,
  type Wish,
  wantsEvent,
} from './destination.ts';

export {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  parseDuration,
  parseRetrySchedule,
  RETRY_SCHEDULE_RULE,
  type RetrySchedule,
} from './duration.ts';
export { toIso } from './iso-time.ts';
export { type Pacing, pacing, parseRate, type Rate, readPacing } from './pacing.ts';

// Words that are nearly right.

export { nearMiss } from './near-miss.ts';

// Sizes at which several packages work differently.

export { LARGE_CALLBACK_BYTES, MAX_RESPONSE_BYTES } from './size-limits.ts';

// Errors.

export {
  InvalidCallbackError,
  type InvalidCallbackOptions,
  type Issue,
  QuarantineFullError,
  QueueUnavailableError,
} from './errors.ts';
