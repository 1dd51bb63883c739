// biome-ignore-all assist/source/organizeImports: grouped by room, most used first

// Redis: the connection, and what it promises
export { type Store, openStore, ingestQueues } from './redis/store.ts';
export { destinationQueue, ingestQueue, LANES, type QueueName, claimOf } from './redis/names.ts';
export { type DurabilityReport, isPassing } from './redis/judge-durability.ts';
export { watchDurability, readDurability } from './redis/durability.ts';
export { readMemory, watchMemory } from './redis/memory.ts';
export { readServers } from './redis/read-servers.ts';
export { readCluster } from './redis/read-cluster.ts';
export { dropLarge, readLarge, readLargePieces } from './redis/large-text.ts';
export { parseRedisUrl } from './redis/redis-url.ts';
export { LayoutMismatchError, PersonKeyMismatchError, StoreLostError } from './redis/errors.ts';
export { PARTY } from './redis/people.ts';
export { rememberStore } from './redis/remember-store.ts';
export { whenOurs } from './redis/when-ours.ts';
export { withDeadline } from './redis/with-deadline.ts';
export type { DurabilityMode } from './redis/durability-mode.ts';

// Destinations
export {
  readDestination,
  putDestination,
  type Destination,
  listDestinations,
  pauseDestination,
  resumeDestination,
  removeDestination,
  changeDestination,
  watchDestinations,
} from './destinations/destinations.ts';
export { listHolds, type Hold, holdDestination, releaseDestination } from './destinations/holds.ts';

// Intake: what a receiver writes, and the quarantine
export {
  quarantineCallback,
  listQuarantine,
  readQuarantined,
  reparseQuarantined,
  countQuarantined,
  measureQuarantine,
  removeQuarantined,
} from './intake/quarantine.ts';
export { openQuarantine } from './intake/select-quarantined.ts';
export { TEST_MESSAGE, announceTest, readTestReport, reportTest } from './intake/announce-test.ts';
export type { IngestGroup, CallbackToCommit } from './intake/ingest-group.ts';
export { type Intake, type Readiness, createIntake } from './intake/intake.ts';
export { createCommitter } from './intake/commit.ts';
export { shareDedupe, type Reservation, reservationOf } from './intake/reserve-event.ts';
export { parseIngestGroup } from './intake/parse-ingest-group.ts';

// Deliveries, their attempts, and dead letters
export { enqueueDeliveries, type DeliveryToQueue } from './deliveries/enqueue-deliveries.ts';
export { listDeadLetters, type DeadLetter } from './deliveries/list-dead-letters.ts';
export {
  listDeliveries,
  readDelivery,
  type Delivery,
  listDeliveriesOf,
  readEnded,
} from './deliveries/read-deliveries.ts';
export { createAttemptLog, type AttemptLog } from './deliveries/attempt-log.ts';
export { replayDelivery } from './deliveries/replay-delivery.ts';
export { type PutOff, openDelivery } from './deliveries/open-delivery.ts';
export { type Ordering, createOrdering } from './deliveries/ordering.ts';
export { listFailedAgain } from './deliveries/replay-outcomes.ts';
export type { Attempt } from './deliveries/attempt.ts';
export { listUndelivered } from './deliveries/list-undelivered.ts';
export { listDeliveriesByArrival } from './deliveries/list-deliveries.ts';
export { removeDeadLetter } from './deliveries/remove-dead-letter.ts';

// The event log
export { listEvents, followEvents, countEvents } from './log/list-events.ts';
export { createEventLog, type CountedWith, type EventLog, type EventToLog } from './log/append.ts';
export {
  createMessageIndex,
  readEventsOfMessage,
  type MessageIndex,
  rebuildMessageIndex,
} from './log/message-index.ts';
export { readRepeats, readCallbackOf } from './log/callback-of-event.ts';
export { readLogBytes, trimEventLog, startRetention } from './log/retention.ts';
export { readEvent } from './log/read-event.ts';
export type { Origin } from './log/event-record.ts';

// Keys, sessions, the audit, and what processes tell of themselves
export { SCOPES, type Scope, listKeys, type Key, createKey, findKey, removeKey } from './registry/keys.ts';
export {
  listParts,
  listReceivers,
  type Receiver,
  listDeaths,
  publishPart,
} from './registry/parts.ts';
export { tellPart, type Telling } from './registry/tell-part.ts';
export { dataDisk, hashSettings } from './registry/measure-process.ts';
export { type Session, openSession, closeSession, findSession } from './registry/sessions.ts';
export type { ApiPart, DiskFacts, Part, PartRole, ReceiverPart, WorkerPart } from './registry/part.ts';
export { openCredentialRecords, type CredentialRecord } from './registry/credentials.ts';
export { type AlertRecords, openAlertRecords, type SentAlert } from './registry/alert-records.ts';
export { adoptStore, inspectStore, type StoreFound } from './registry/adopt-store.ts';
export { listAudit, recordAudit } from './registry/audit.ts';
export { once } from './registry/once.ts';
export { listSnapshots, publishSnapshot } from './registry/snapshots.ts';
export { type HealthRecords, openHealthRecords } from './registry/health-records.ts';

// What health reads, and what is noted for it
export { readCallbackFacts } from './facts/callback-facts.ts';
export { readDestinationFacts } from './facts/destination-facts.ts';
export { readLaneFacts } from './facts/lane-facts.ts';
export { readLogFacts } from './facts/log-facts.ts';
export { readLag, readLagFacts } from './facts/lag-facts.ts';
export { createWantedCounts, type WantedCounts } from './facts/wanted-counts.ts';
export { createReadyMinutes } from './registry/ready-minutes.ts';
export { createDestinationNotes, type DestinationNotes } from './destinations/notes.ts';

// Counts by minute and hour
export { createLagCounts, LAG_BOUNDS_S, type LagCounts, type LagRow } from './counts/lag-counts.ts';
export { type RefusalCounter, readRefusals, sumRefusals, createRefusalCounter } from './counts/refusals.ts';
export { readIntake, sumIntake, type IntakeCounts, readHeard } from './counts/intake-counts.ts';
export { readHours, sumHours, type HourFigures, createHourCounts, attemptMs } from './counts/hour-figures.ts';

// The ledger, and figures of the queues
export { readLedger, type LedgerPart, readLedgerPart } from './ledger/ledger.ts';
export { type LedgerCheck, checkLedger, readLedgerCheck } from './ledger/ledger-check.ts';
export { queueDepths, readFigures, type Figures } from './ledger/queue-figures.ts';

// Replays of many
export {
  readReplay,
  boundSelection,
  createReplay,
  setReplayState,
  type Replay,
  listReplays,
} from './replays/replays.ts';
export { countSelected, type Counted } from './replays/count-selected.ts';
export { type DeliverySelection, LEFT_OUT_REASONS } from './replays/delivery-selection.ts';
export { removeDeadLetters } from './replays/remove-dead-letters.ts';
export { startReplays } from './replays/run-replays.ts';

// Jobs
export {
  outcomeOf,
  DEAD_LETTER_KINDS,
  type DeadLetterKind,
  type Outcome,
  asDeliveryError,
  deadLetterKind,
} from './jobs/outcome.ts';
export { createDispatcher, type Dispatcher } from './jobs/dispatcher.ts';
export type { Settlement } from './jobs/settle.ts';
export type { TakenJob } from './jobs/source.ts';

// Leases of pull destinations
export { createLeases, type Leases } from './leases/leases.ts';
export type { Lease } from './leases/waiter.ts';
export { type Peeked, peekRecent, peekWaiting } from './leases/peek.ts';

// The spool on disk
export { SpoolError } from './spool/errors.ts';
export { openSpool } from './spool/spool.ts';
