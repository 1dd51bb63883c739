import type { Key } from '@clickrelay/client';

export type Scope = Key['scopes'][number];

/** What a scope lets do, in words. */
export const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  read: 'See everything, with personal data hidden',
  reveal: 'Show personal data and signing secrets; each time is recorded',
  replay: 'Send deliveries again',
  lease: 'Fetch events from pull destinations, and make those',
  admin: 'Change destinations, alerts, keys and credentials; delete what is kept',
};

export const SCOPES = Object.keys(SCOPE_WORDS) as Scope[];
