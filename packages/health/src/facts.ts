import type { Lane } from '@clickrelay/core';
import type { DurabilityReport, Part, PartRole } from '@clickrelay/queue';
import type { Known } from './known.ts';

/*
 * All that the rules judge. `gather` fills it; a rule reads nothing else. Times are ms since 1970 by the clock of
 * Redis, unless a name says otherwise. Nothing here is personal: ids that the operator chose, numbers, codes, times.
 */

export interface Facts {
  readonly redis: RedisReach;
  readonly store: Known<StoreFacts>;
  readonly server: Known<ServerFacts>;
  readonly parts: Known<readonly Part[]>;
  /** How often a part died, not in an orderly way, in the last hour. */
  readonly deaths: Known<readonly { readonly role: PartRole; readonly hostName: string; readonly count: number }[]>;
  readonly setup: SetupFacts;
  readonly callbacks: Known<CallbackFacts>;
  readonly lanes: Known<Readonly<Record<Lane, LaneFacts>>>;
  readonly lag: Known<LagFacts>;
  readonly ledger: Known<LedgerFacts>;
  readonly quarantine: Known<QuarantineFacts>;
  readonly log: Known<LogFacts>;
  readonly destinations: Known<readonly DestinationFacts[]>;
  readonly credentials: Known<readonly RotationFacts[]>;
  readonly cluster: Known<ClusterFacts | null>;
  readonly channels: Known<readonly ChannelFacts[]>;
}

/** Whether Redis can be used from here, in the words of `Store.explain`. */
export type RedisReach =
  | { readonly state: 'answers' }
  /** `cause` names host and reason. */
  | { readonly state: 'away'; readonly cause: string; readonly mend: string }
  /** `code`: NOPERM, MISCONF, NOAUTH, READONLY, OOM, … */
  | { readonly state: 'refuses'; readonly code: string; readonly cause: string; readonly mend: string };

export interface StoreFacts {
  /** The id that this process remembers; null when it never saw one. */
  readonly expectedId: Known<string | null>;
  /** The id in Redis now; null when there is none. */
  readonly foundId: string | null;
  /** Null when the data have the layout of this version. */
  readonly otherLayout: string | null;
  /** When the store was made. */
  readonly createdAt: number | null;
}

export interface ServerFacts {
  readonly durability: DurabilityReport;
  /** `err` when the last rewrite of the append-only file failed; null where Redis does not tell. */
  readonly lastRewrite: 'ok' | 'err' | null;
  readonly usedBytes: number;
  /** `maxmemory`; without one, the memory of its machine; null where Redis does not tell. */
  readonly limitBytes: number | null;
  readonly limit: 'maxmemory' | 'machine';
  /** How often in the last 5 minutes a write waited for the disk (`aof_delayed_fsync`). */
  readonly delayedFsyncs: number;
  /** Of the master with the fewest, those that are connected. */
  readonly replicas: number;
}

export interface SetupFacts {
  readonly publicUrl: string | null;
  /** Whether any living receiver takes callbacks without a credential. */
  readonly takesAnybody: boolean;
  /** Whether the API knows a credential to show. */
  readonly knowsCredential: boolean;
  /** When the certificate at PUBLIC_URL ends; null when it was never seen. */
  readonly certificateEndsAt: Known<number | null>;
}

/** Why receivers refuse; each number counts callbacks. */
export interface Refusals {
  readonly unavailable: number;
  readonly tooLarge: number;
  readonly unprocessable: number;
  readonly rateLimited: number;
}

export interface CallbackFacts {
  readonly refusedLast5m: Refusals;
  readonly refusedLast15m: Refusals;
  /** With a credential, but a wrong one, on a callback path, in the last 60 minutes. */
  readonly wrongCredentials: number;
  /** When the first of these came. */
  readonly firstWrongAt: number | null;
  /** Without any credential, in the last 60 minutes. */
  readonly withoutCredential: number;
  /** When any lane last accepted a callback. */
  readonly lastAcceptedAt: number | null;
}

export interface LaneFacts {
  /** Groups that are not routed. */
  readonly groups: number;
  readonly oldestGroupAt: number | null;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** Callbacks in the span since `lastAt`, moved back by one, two, three and four weeks; null where not kept. */
  readonly sameSpanBefore: readonly (number | null)[];
  /** For how long callbacks have been counted, in ms. */
  readonly countedMs: number;
  /** The longest gap between two callbacks of the last 7 days, to the hour, in ms, and how many came in those days. */
  readonly longestGapMs: number;
  readonly lastWeek: number;
  /** Whether a receiver was up and ready during the whole span since `lastAt`. */
  readonly wasReady: Known<boolean>;
}

export interface LagFacts {
  /** Of the last 10 minutes, the lane of messages. */
  readonly events: number;
  readonly medianMs: number | null;
  /** Whether refusals of our own made callbacks late in that time. */
  readonly isOurs: boolean;
}

export interface LedgerFacts {
  /** When the last walk ended; null before the first. */
  readonly walkedAt: number | null;
  /** Deliveries by destination that nobody will ever send, in the last walk and in the one before it. */
  readonly unaccounted: Readonly<Record<string, number>>;
  readonly unaccountedBefore: Readonly<Record<string, number>>;
}

export interface QuarantineFacts {
  readonly callbacks: number;
  readonly bytes: number;
  readonly maxCallbacks: number;
  readonly maxBytes: number;
}

export interface LogFacts {
  /** Events that left the log before `EVENT_RETENTION`, in the last hour, and when the last of them did. */
  readonly trimmedEarly: number;
  readonly trimmedEarlyAt: number | null;
  /** Of the events sampled in the last walk, those that their message does not find. */
  readonly notIndexed: number;
  readonly sampled: number;
}

export interface DestinationFacts {
  readonly id: string;
  readonly type: string;
  readonly createdAt: number | null;
  /** By hand, or because it answered 410; null while it sends. */
  readonly paused: { readonly by: 'hand' | 'gone'; readonly at: number | null } | null;
  /** Since when its breaker is open; null when it is closed. */
  readonly failingSince: number | null;
  readonly lastErrorCode: string | null;
  /** Since when it has asked for pauses without an end of a minute; null when it does not. */
  readonly throttledSince: number | null;
  /** Deliveries that wait, are active or will be tried again. */
  readonly waiting: number;
  readonly oldestWaitingAt: number | null;
  readonly deadLetters: number;
  readonly deadLettersLast10m: number;
  /** When the newest dead letter came. */
  readonly newestDeadLetterAt: number | null;
  /** First attempts of the last 10 minutes: only these count, so that one stubborn delivery alerts nobody. */
  readonly firstAttempts: { readonly ended: number; readonly failed: number };
  /** Of the last hour. */
  readonly attemptsLastHour: number;
  readonly p95Ms: number | null;
  /** Its deadline for one attempt, in ms; null for `pull`. */
  readonly timeoutMs: number | null;
  /** Attempts since it was made, and whether any was delivered. */
  readonly attempts: number;
  readonly everDelivered: boolean;
  /** Whether its last attempts were refused by our own guard of addresses. */
  readonly isRefusedByGuard: boolean;
  /** Of the last 1,000 events, how many it wanted; null when that is not known, or there were fewer. */
  readonly wantedOfLast1000: number | null;
  /** Of `pull`: when something last leased or asked; null when nothing ever did. */
  readonly lastAskedAt: number | null;
  /** When the certificate of its address ends; null when none was seen. */
  readonly certificateEndsAt: number | null;
  /** While two secrets are live: when the older ends. */
  readonly oldSecretEndsAt: number | null;
}

/** A credential of callbacks that is about to end beside a newer one. */
export interface RotationFacts {
  readonly id: string;
  readonly endsAt: number;
  /** When it was last used; null: never. */
  readonly lastUsedAt: number | null;
}

export interface ClusterFacts {
  /** Slots that are being moved now. */
  readonly movingSlots: number;
  /** Since when the same slots have been open without any key moving; null while keys move, or nothing is open. */
  readonly stuckSince: number | null;
  readonly isDown: boolean;
}

/** A channel of alerts. */
export interface ChannelFacts {
  readonly id: string;
  /** Since when it takes nothing; null when it does. */
  readonly failingSince: number | null;
  /** The answer's status, or the code of the error. */
  readonly lastErrorCode: string | null;
}
