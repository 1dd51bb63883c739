import type { Readiness } from '../intake/intake.ts';

/** A process of Clickrelay, by what it does. */
export type PartRole = 'receiver' | 'worker' | 'api';

/** Room on a disk that a part writes to. */
export interface DiskFacts {
  /** What lies there: the spool of a receiver, or `DATA_DIR`. */
  readonly of: 'spool' | 'data';
  /** What this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What may still be written there: how far the spool may grow, or what a rewrite of our own Redis needs. */
  readonly neededBytes: number;
}

/** What every part publishes of itself every few seconds. No secret, no personal data. */
export interface CommonFacts {
  readonly role: PartRole;
  /** The machine: `os.hostname()`. Conditions are about it, because it outlives the process. */
  readonly hostName: string;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The id of the store that this process works with; null before it has seen one. */
  readonly storeId: string | null;
  /** A round trip to Redis, in ms. */
  readonly roundTripMs: number;
  /** This machine's clock minus that of Redis, in ms, from the middle of the round trip. */
  readonly clockOffsetMs: number;
  /** The most that the wall clock went away from the monotonic clock between two beats, in the last minute, in ms. */
  readonly clockJumpMs: number;
  /** The share of the time between two beats in which the event loop was busy, 0 to 1. */
  readonly eventLoop: number;
  readonly disks: readonly DiskFacts[];
  /** A short hash of each setting in which living parts of a role must agree, by the name of the setting. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface ReceiverPart extends CommonFacts {
  readonly role: 'receiver';
  readonly host: string;
  readonly port: number;
  /** What both callback paths begin with. */
  readonly pathPrefix: string;
  /** How callbacks may authenticate, a word for each live credential: `query`, `basic`, `header`, `none`. */
  readonly credentials: readonly string[];
  /** The ids of those of them that are recorded. */
  readonly credentialIds: readonly string[];
  /** CALLBACK_ALLOW_IPS; empty: any address. */
  readonly allowIps: readonly string[];
  /** CALLBACK_INTEGRATION_IDS; empty: any. */
  readonly integrationIds: readonly string[];
  readonly maxBodyBytes: number;
  readonly readiness: Readiness;
  /** The 99th percentile of commits in the last minute, in ms; null without any. */
  readonly commitP99Ms: number | null;
}

export interface WorkerPart extends CommonFacts {
  readonly role: 'worker';
  /** The types of destinations that it can deliver to. */
  readonly adapters: readonly string[];
  /** Destinations that it could not open, with the code of the error. */
  readonly unopened: readonly { readonly destinationId: string; readonly code: string }[];
}

export interface ApiPart extends CommonFacts {
  readonly role: 'api';
  readonly publicUrl: string | null;
}

/** A process that published lately. */
export type Part = (ReceiverPart | WorkerPart | ApiPart) & {
  /** `host:pid` */
  readonly process: string;
  /** When it last published, ISO 8601. */
  readonly at: string;
};
