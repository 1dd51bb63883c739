import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CredentialRecord, openCredentialRecords, type Store } from '@clickrelay/queue';
import { errorFields } from '@clickrelay/service/log';
import type { Logger } from 'pino';
import { type Credential, credentialOf, markOf } from './credentials.ts';

/** What this receiver accepts at this moment. */
export interface LiveCredentials {
  /** Another array after each change. */
  current(): readonly Credential[];
  /** The ids of those that are recorded. */
  ids(): string[];
  /**
   * Whether this receiver knows the credentials that were made: not before it has read Redis, or what an earlier
   * receiver with this spool had read.
   */
  isComplete(): boolean;
  noteUse(credential: Credential): void;
  /** When credentials were used since the last call, by id. */
  takeUses(): Record<string, string>;
  /** Resolves when Redis has been read once. */
  readonly complete: Promise<void>;
  /** Calls back after each change. */
  onChange(listener: () => void): void;
  stop(): void;
}

export interface LiveCredentialsOptions {
  readonly declared: readonly Credential[];
  /** The spool's; what was read is kept there, for a start while Redis is away. Empty: nowhere. */
  readonly dir: string;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** @default 500 */
  readonly pollMs?: number;
}

const POLL_MS = 500;

/**
 * Accepts what `CALLBACK_AUTH` declares here and what was made for all receivers, but nothing that has ended. What has
 * been read stays known while Redis is away, or has lost it.
 */
export const openLiveCredentials = (store: Store, options: LiveCredentialsOptions): LiveCredentials => {
  const { declared, dir, log, pollMs = POLL_MS } = options;
  const recorded = openCredentialRecords(store);
  const file = dir === '' ? undefined : join(dir, 'credentials.json');
  const complete = Promise.withResolvers<void>();
  const listeners: (() => void)[] = [];
  const placeOf = (credential: Credential): string => recorded.placeOf(markOf(credential));
  /** In ms. */
  const uses = new Map<Credential, number>();
  const declaredPlaces = new Set(declared.map(placeOf));
  const kept = readKept(file);
  let isComplete = kept !== undefined;
  let known = new Map((kept ?? []).map((record) => [recorded.placeOf(record), record]));
  let current: readonly Credential[] = [];
  let keptText = '';
  let problem = '';

  /** Also without news from Redis: some end by the clock. */
  const evaluate = (): void => {
    const nowMs = Date.now();
    const isOver = (place: string): boolean => Date.parse(known.get(place)?.endsAt ?? '') <= nowMs;
    const made = [...known.values()].filter(
      (record) => record.origin === 'made' && !declaredPlaces.has(recorded.placeOf(record)),
    );
    const next = [...declared, ...made.map(credentialOf)].filter((one) => !isOver(placeOf(one)));
    if (next.map(placeOf).join() === current.map(placeOf).join()) return;
    current = next;
    if (next.length === 0) log.error('credentials.none');
    for (const listener of listeners) listener();
  };

  const look = async (): Promise<void> => {
    store.assertConnected();
    await store.ready();
    const listed = new Map((await recorded.list()).map((record) => [recorded.placeOf(record), record]));
    const missing = [...known].filter(([place]) => !listed.has(place)).map(([, record]) => record);
    const nowMs = Date.now();
    const fresh = declared
      .filter((one) => !listed.has(placeOf(one)) && !known.has(placeOf(one)))
      .map((one) => recorded.draft(markOf(one), 'declared', nowMs));
    known = new Map([...known, ...listed]);
    isComplete = true;
    evaluate();
    complete.resolve();
    // Records are never removed: when Redis lacks some, they are new or it has lost them.
    if (missing.length + fresh.length === 0) return keepHere();
    await recorded.keep([...missing, ...fresh]);
    for (const record of await recorded.list()) known.set(recorded.placeOf(record), record);
    for (const listener of listeners) listener();
    keepHere();
  };

  const keepHere = (): void => {
    const text = `${JSON.stringify([...known.values()])}\n`;
    if (file === undefined || text === keptText) return;
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    keptText = text;
  };

  let timer: NodeJS.Timeout | undefined;
  const turn = async (): Promise<void> => {
    try {
      await look();
      problem = '';
    } catch (error) {
      evaluate();
      const { code = '', message } = error as Error & { code?: string };
      // That Redis is away is told by others.
      if (code !== 'queue_unavailable' && message !== problem) log.warn(errorFields(error), 'credentials.unread');
      problem = message;
    }
    if (timer !== undefined) timer = setTimeout(turn, pollMs);
  };
  evaluate();
  timer = setTimeout(turn, 0);

  return {
    current: () => current,
    ids: () => current.flatMap((one) => known.get(placeOf(one))?.id ?? []),
    isComplete: () => isComplete,
    noteUse: (credential) => uses.set(credential, Date.now()),
    takeUses: () => {
      const taken: Record<string, string> = {};
      for (const [credential, ms] of uses) {
        const id = known.get(placeOf(credential))?.id;
        if (id === undefined) continue;
        taken[id] = new Date(ms).toISOString();
        uses.delete(credential);
      }
      return taken;
    },
    complete: complete.promise,
    onChange: (listener) => listeners.push(listener),
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
};

const readKept = (file: string | undefined): CredentialRecord[] | undefined => {
  try {
    return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as CredentialRecord[]);
  } catch {
    // None yet, or a torn one: Redis has them.
    return undefined;
  }
};
