export {
  type Adapter,
  type Deliverer,
  type DeliveryAttempt,
  DeliveryError,
  type DeliveryErrorCode,
  type DeliveryErrorOptions,
  type DeliveryReceipt,
} from './adapter.ts';
export { type Callback, type EventType, type Lane, MAX_DEPTH, parseCallback } from './callback.ts';
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
export {
  DESTINATION_ID,
  type DestinationBase,
  deliveryId,
  destinationBase,
  matchesEventType,
  parseDeliveryId,
} from './destination.ts';
export {
  CallbackTooLargeError,
  InvalidCallbackError,
  type InvalidCallbackOptions,
  type Issue,
  NotReadyError,
  QuarantineFullError,
  QueueUnavailableError,
  UnauthorizedCallbackError,
} from './errors.ts';
export {
  type Event,
  type EventOf,
  eventSchema,
  isKnownEvent,
  type KnownEvent,
  type LoggedEvent,
  restoreEvent,
  type StoredEvent,
  splitCallback,
} from './event.ts';
export { EVENT_ID, eventId, SHARDS, shardOf } from './event-id.ts';
export { FORMATS, type Format, type FormattedEvent, formatEvent } from './formats.ts';
export { jsonSchemas } from './json-schema.ts';
export {
  moButtonResponse,
  moContacts,
  moListPickerResponse,
  moLocation,
  moMedia,
  moSuggestedResponse,
  moText,
} from './replies.ts';
export { classifyStatus, type MessageStatus, STATUSES, type StatusClass } from './status-codes.ts';
export { messageStatusUpdate } from './status-update.ts';
