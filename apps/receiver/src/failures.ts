import { hash, randomBytes } from 'node:crypto';
import type { Address } from './client-address.ts';

/** Failures of one address within one window. */
export interface Failures {
  readonly count: number;
  /** In ms. */
  readonly forgottenInMs: number;
}

const WINDOW_MS = 60_000;

/**
 * An address is counted under 16 bits of its hash: a caller with many addresses can fill all buckets, and no more
 * memory.
 */
const BUCKETS = 65_536;

/** Counting stops at what 16 bits hold. */
const MOST = 65_535;

/**
 * Counts failures per address and minute, in 400 KB however many addresses there are. Addresses that share a bucket
 * share a count, so only the wording of a refusal may depend on it.
 * @param now In ms, monotonic.
 */
export const createFailureCounter = (now: () => number = () => performance.now()): ((bucket: number) => Failures) => {
  const counts = new Uint16Array(BUCKETS);
  /** When the first failure of a window was counted, in seconds: milliseconds would not fit into 32 bits for long. */
  const since = new Uint32Array(BUCKETS);
  return (bucket) => {
    const at = now();
    let forgottenInMs = (since[bucket] as number) * 1000 + WINDOW_MS - at;
    if (counts[bucket] === 0 || forgottenInMs <= 0) {
      counts[bucket] = 0;
      since[bucket] = Math.floor(at / 1000);
      forgottenInMs = WINDOW_MS;
    }
    const count = Math.min((counts[bucket] as number) + 1, MOST);
    counts[bucket] = count;
    return { count, forgottenInMs };
  };
};

/**
 * Numbers the bucket that an address is counted in. The salt keeps a caller from choosing whose bucket it shares. IPv6
 * is counted by /64: one customer has that many addresses.
 */
export const createBuckets = (): ((address: Address | undefined) => number) => {
  const salt = randomBytes(16);
  return (address) => {
    const bytes = address?.toByteArray().slice(0, 8) ?? [];
    return Number.parseInt(hash('sha256', Buffer.concat([salt, Buffer.from(bytes)]), 'hex').slice(0, 4), 16);
  };
};
