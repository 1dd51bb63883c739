import { hostname } from 'node:os';
import {
  type ChannelFacts,
  createGatherer,
  type HealthWatch,
  RULES,
  type Verdict,
  watchHealth,
} from '@clickrelay/health';
import { type DurabilityMode, openHealthRecords, type Store } from '@clickrelay/queue';
import type { KnownCredentials } from './known-credentials.ts';

export interface HealthOptions {
  readonly store: Store;
  readonly mode: DurabilityMode;
  readonly publicUrl: string | undefined;
  readonly credentials: Pick<KnownCredentials, 'usable'>;
  /** How the channels of alerts do. */
  readonly channels: () => readonly ChannelFacts[];
  /** Called with each verdict that this API came to: one does so for all. */
  readonly onVerdict?: (verdict: Verdict) => void;
  readonly onError: (error: unknown) => void;
  /** What time it is. Tests put it forward. @default the clock of this machine */
  readonly now?: () => number;
}

/** Judges for all APIs, or reads what another judged. */
export const openHealth = (options: HealthOptions): HealthWatch => {
  const { store, mode, publicUrl, credentials, channels, onVerdict, onError, now } = options;
  return watchHealth({
    records: openHealthRecords(store),
    rules: RULES,
    gather: createGatherer({
      store,
      mode,
      publicUrl: publicUrl ?? null,
      knowsCredential: () => credentials.usable().length > 0,
      channels,
      onError,
    }),
    by: `${hostname()}:${process.pid}`,
    onVerdict,
    onError,
    now,
  });
};
