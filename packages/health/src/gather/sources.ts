import type { DurabilityMode, Store } from '@clickrelay/queue';
import type { ChannelFacts, StoreFacts } from '../facts.ts';
import type { Known } from '../known.ts';

/** From where facts come. */
export interface Sources {
  readonly store: Store;
  /** Which store it should be, for a program that remembers none. @default what `store` remembers */
  readonly expectedStore?: () => Promise<Pick<StoreFacts, 'expectedId' | 'foundId'>>;
  /** What is asked of Redis: `DURABILITY`. */
  readonly mode: DurabilityMode;
  readonly publicUrl: string | null;
  /** Whether a credential of callbacks is known here, to show it and to test with it. */
  readonly knowsCredential: () => boolean;
  readonly channels: () => Known<readonly ChannelFacts[]>;
  /** A fact could not be read, and Redis says nothing that a person would understand. */
  readonly onError: (error: unknown) => void;
}
