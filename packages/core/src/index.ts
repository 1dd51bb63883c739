export {
  type Adapter,
  type Deliverer,
  type DeliveryAttempt,
  DeliveryError,
  type DeliveryErrorCode,
  type DeliveryErrorOptions,
  type DeliveryReceipt,
} from './adapter.ts';
export type { Event, LoggedEvent } from './event.ts';
