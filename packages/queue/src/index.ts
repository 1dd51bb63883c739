export {
  createHourCounts,
  type Hour,
  type HourCounts,
  type HourFigures,
  p95Ms,
  readHours,
  sumHours,
} from './counts/hour-figures.ts';
export {
  type Heard,
  type IntakeCounts,
  type IntakeSpan,
  readHeard,
  readIntake,
  sumIntake,
} from './counts/intake-counts.ts';
export {
  createRefusalCounter,
  type RefusalCounter,
  type RefusalCounts,
  readRefusals,
  sumRefusals,
} from './counts/refusals.ts';
export type { Attempt, AttemptRecord } from './deliveries/attempt.ts';
export { type AttemptLog, createAttemptLog } from './deliveries/attempt-log.ts';
export { type DeliveryToQueue, enqueueDeliveries } from './deliveries/deliveries.ts';
export { DeliveryNotFoundError } from './deliveries/errors.ts';
export { type DeadLetter, type ListDeadLettersOptions, listDeadLetters } from './deliveries/list-dead-letters.ts';
export { listUndelivered } from './deliveries/list-undelivered.ts';
export { openDelivery, type PutOff } from './deliveries/open-delivery.ts';
export { createOrdering, type Ordering } from './deliveries/ordering.ts';
export { type Peeked, peekRecent, peekWaiting } from './deliveries/peek.ts';
export {
  type Delivery,
  type DeliveryState,
  listDeliveries,
  listDeliveriesOf,
  readDelivery,
  readEnded,
} from './deliveries/read-deliveries.ts';
export { removeDeadLetter } from './deliveries/remove-dead-letter.ts';
export { type Replayed, replayDelivery } from './deliveries/replay-delivery.ts';
export { listFailedAgain } from './deliveries/replay-outcomes.ts';
export {
  type Destination,
  type DestinationWatch,
  listDestinations,
  pauseDestination,
  putDestination,
  readDestination,
  removeDestination,
  resumeDestination,
  updateDestination,
  watchDestinations,
} from './destinations/destinations.ts';
export { DestinationNotFoundError } from './destinations/errors.ts';
export { type Hold, holdDestination, listHolds, releaseDestination } from './destinations/holds.ts';
export { type Committer, type CommitterOptions, createCommitter } from './intake/commit.ts';
export type { CallbackToCommit, CommittedCallback, IngestGroup } from './intake/ingest-group.ts';
export { createIntake, type Intake, type IntakeOptions, type Readiness } from './intake/intake.ts';
export { parseIngestGroup } from './intake/parse-ingest-group.ts';
export {
  countQuarantined,
  listQuarantine,
  type Quarantined,
  quarantineCallback,
  readQuarantine,
  readQuarantined,
  removeQuarantined,
  reparseQuarantined,
} from './intake/quarantine.ts';
export { type Reservation, reservationOf, shareDedupe } from './intake/reserve-event.ts';
export { announceTest, readTestReport, reportTest, TEST_MESSAGE, type TestReport } from './intake/test-callbacks.ts';
export { createDispatcher, type Dispatcher } from './jobs/dispatcher.ts';
export {
  asDeliveryError,
  DEAD_LETTER_KINDS,
  type DeadLetterKind,
  deadLetterKind,
  type Outcome,
  outcomeOf,
} from './jobs/outcome.ts';
export type { QueueFigures } from './jobs/read-queue-figures.ts';
export type { Settlement } from './jobs/settle.ts';
export type { Consumer, TakenJob } from './jobs/source.ts';
export { LeaseLostError, NotAPullDestinationError, TooManyLeasesError } from './leases/errors.ts';
export { createLeases, type Leases, type LeasesOptions } from './leases/leases.ts';
export type { Acked, LeaseRef, Nacked } from './leases/settle-lease.ts';
export type { Lease, LeaseOptions } from './leases/waiter.ts';
export { type QueueDepths, queueDepths } from './ledger/depths.ts';
export {
  type LedgerOptions,
  type LedgerPart,
  type LedgerPartOptions,
  readLedger,
  readLedgerPart,
} from './ledger/ledger.ts';
export { checkLedger, type LedgerCheck, readLedgerCheck } from './ledger/ledger-check.ts';
export { type DestinationFigures, type Figures, readFigures } from './ledger/queue-figures.ts';
export { type CountedWith, createEventLog, type EventLog, type EventToLog, type Logged } from './log/append.ts';
export { type CallbackOfEvent, type Repeats, readCallbackOf, readRepeats } from './log/callback-of-event.ts';
export type { Origin } from './log/event-record.ts';
export {
  countEvents,
  type FollowEventsOptions,
  followEvents,
  type ListEventsOptions,
  listEvents,
  type Page,
} from './log/list-events.ts';
export {
  createMessageIndex,
  type EventsOfMessage,
  type MessageIndex,
  readEventsOfMessage,
  rebuildMessageIndex,
} from './log/message-index.ts';
export { readEvent } from './log/read-event.ts';
export { type Retention, readLogBytes, startRetention, trimEventLog } from './log/retention.ts';
export type { RedisClient, Role } from './redis/connection.ts';
export { type DurabilityWatch, readDurability, watchDurability } from './redis/durability.ts';
export type { DurabilityMode } from './redis/durability-mode.ts';
export { LayoutMismatchError } from './redis/errors.ts';
export { type DurabilityProblem, type DurabilityReport, isPassing } from './redis/judge-durability.ts';
export { dropLarge, readLarge, readLargePieces } from './redis/large-text.ts';
export { type MemoryWatch, readMemory, watchMemory } from './redis/memory.ts';
export { claimOf, destinationQueue, ingestQueue, LANES, type QueueName } from './redis/names.ts';
export { InvalidRedisUrlError, parseRedisUrl } from './redis/redis-url.ts';
export { ingestQueues, openStore, type Store, type StoreOptions } from './redis/store.ts';
export { withDeadline } from './redis/with-deadline.ts';
export { type AuditEntry, type AuditRecord, listAudit, recordAudit } from './registry/audit.ts';
export { createKey, findKey, type Key, listKeys, removeKey, SCOPES, type Scope } from './registry/keys.ts';
export { openParties, PARTY } from './registry/parties.ts';
export {
  listReceivers,
  publishReceiver,
  RECEIVER_TELLS_MS,
  type Receiver,
  type ReceiverFacts,
  removeReceiver,
} from './registry/receivers.ts';
export { closeSession, findSession, openSession, type Session } from './registry/sessions.ts';
export { listSnapshots, publishSnapshot, type Snapshot } from './registry/snapshots.ts';
export { type Counted, countSelected } from './replays/count-selected.ts';
export { type DeliverySelection, LEFT_OUT_REASONS, type LeftOutReason } from './replays/delivery-selection.ts';
export { removeDeadLetters } from './replays/remove-dead-letters.ts';
export {
  boundSelection,
  createReplay,
  listReplays,
  type Replay,
  type ReplayState,
  readReplay,
  setReplayState,
} from './replays/replays.ts';
export { startReplays } from './replays/run-replays.ts';
export { SpoolError } from './spool/errors.ts';
export { openSpool, type Spool, type SpoolOptions, type SpoolStats } from './spool/spool.ts';
export type { SpoolNotice } from './spool/state.ts';
