import type { Readiness } from '../intake/intake.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Receivers publish how they are reached, so the API, which may run elsewhere, can show a person how to connect
 * Clickatell to them. They publish no secret.
 */

export interface ReceiverFacts {
  readonly version: string;
  readonly startedAt: string;
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
}

export interface Receiver extends ReceiverFacts {
  /** `host:pid` */
  readonly process: string;
  /** When it last published. */
  readonly at: string;
}

const RECEIVERS = `${REGISTRY}:receivers`;
/** How often a receiver publishes, in ms. */
export const RECEIVER_TELLS_MS = 5_000;
/** Two publications may be lost or late. */
const GONE_MS = 16_000;

export const publishReceiver = async (store: Store, process: string, facts: ReceiverFacts): Promise<void> => {
  store.assertConnected();
  await store.redis.hset(RECEIVERS, process, JSON.stringify({ ...facts, process, at: new Date().toISOString() }));
};

export const removeReceiver = async (store: Store, process: string): Promise<void> => {
  store.assertConnected();
  await store.redis.hdel(RECEIVERS, process);
};

/** The receivers that published lately. Forgets the others. */
export const listReceivers = async (store: Store, nowMs: number): Promise<Receiver[]> => {
  const all = Object.values(await store.redis.hgetall(RECEIVERS)).map((text) => JSON.parse(text) as Receiver);
  const gone = all.filter(({ at }) => nowMs - Date.parse(at) > GONE_MS);
  if (gone.length > 0) await store.redis.hdel(RECEIVERS, ...gone.map(({ process }) => process));
  return all.filter((one) => !gone.includes(one)).sort((a, b) => (a.process < b.process ? -1 : 1));
};
