import { randomUUID } from 'node:crypto';
import { QueueUnavailableError, toIso } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';

/*
 * The channels of alerts: whom to tell, what each was told, which of them take nothing, and the last that were sent.
 * `packages/alerts` knows what the texts of channels and states hold.
 */

const CHANNELS = `${REGISTRY}:alert-channels`;
/** Counts changes of channels. Gone after there was one: Redis has lost what it had, and the channels are not removed. */
const VERSION = `${REGISTRY}:alert-version`;
const STATES = `${REGISTRY}:alert-states`;
const FAILING = `${REGISTRY}:alert-failing`;
const LOG = `${REGISTRY}:alert-log`;
const turnKey = (id: string): string => `${REGISTRY}:alert-turn:${id}`;

const MOST_LOGGED = 500;
/** A lost try is the change of somebody else. */
const MOST_TRIES = 100;

/** A channel that takes nothing. */
interface FailingChannel {
  readonly since: number;
  /** When it was tried last. */
  readonly triedAt: number;
  /** The answer's status, or the code of the error. */
  readonly code: string;
}

interface KeptAlerts<Channel, State> {
  /** 0 when no channel was ever added, or Redis has lost them. */
  readonly version: number;
  readonly channels: readonly Channel[];
  /** By the id of the channel. */
  readonly states: ReadonlyMap<string, State>;
  readonly failing: ReadonlyMap<string, FailingChannel>;
}

/** One alert that was sent, or that a channel did not take. */
export interface SentAlert {
  /** `alt_…` */
  readonly id: string;
  readonly channelId: string;
  readonly what: string;
  readonly code: string;
  readonly severity: string;
  readonly subject: { readonly kind: string; readonly id: string | null };
  /** What the channel answered; null without an answer. */
  readonly status: number | null;
  /** Why it was not taken: the code of the error; null when it was. */
  readonly error: string | null;
  readonly tries: number;
}

/** What is written down after a sending. */
interface Noted<State> {
  readonly state?: State;
  /** Null: it takes messages. Left out: as it was. */
  readonly failing?: FailingChannel | null;
  readonly sent?: readonly SentAlert[];
}

const CHANGE: Script = {
  name: 'changeAlertChannel',
  // KEYS: channels, version, states, failing. ARGV: id, text that was read, text to write; empty for none.
  // Returns 1, also when the answer was lost and the command went out once more; 0 when somebody else was faster. A change ends its failing: a person has mended it.
  lua: `
local present = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if present ~= ARGV[2] then return present == ARGV[3] and 1 or 0 end
redis.call('INCR', KEYS[2])
redis.call('HDEL', KEYS[4], ARGV[1])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) return 1 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1`,
};

const KEEP_TURN: Script = {
  name: 'keepAlertTurn',
  // KEYS: turn. ARGV: token, for how long in ms; 0 gives it back. Returns 1 when it was ours.
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
};

const CURSOR = defineCursor({ id: /\d{1,15}-\d{1,15}/ });

export interface AlertRecords<Channel, State> {
  read(): Promise<KeptAlerts<Channel, State>>;
  /**
   * Makes, changes or removes a channel, from what it is at this moment.
   * @param change called again when somebody else was faster; null removes it, undefined leaves it
   */
  change<Changed extends Channel | null | undefined>(
    id: string,
    change: (present: Channel | undefined) => Changed,
  ): Promise<Changed>;
  /** @returns undefined when another process is sending to the channel */
  takeTurn(id: string, ms: number): Promise<Turn | undefined>;
  note(id: string, noted: Noted<State>): Promise<void>;
  /** Newest first. */
  listSent(page: { limit: number; cursor?: string | undefined }): Promise<Page<SentAlert & { readonly at: string }>>;
}

/** What one process at a time has: sending to a channel. */
interface Turn {
  /** @returns false when it was lost */
  keep(ms: number): Promise<boolean>;
  end(): Promise<void>;
}

export const openAlertRecords = <Channel extends { readonly id: string }, State>(
  store: Store,
): AlertRecords<Channel, State> => {
  const { redis } = store;
  return {
    read: async () => {
      const replies = await redis.multi().get(VERSION).hgetall(CHANNELS).hgetall(STATES).hgetall(FAILING).exec();
      const [version, channels, states, failing] = (replies ?? []).map(([error, reply]) => {
        if (error !== null) throw error;
        return reply;
      });
      return {
        version: Number(version ?? 0),
        channels: [...parsed<Channel>(channels).values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
        states: parsed<State>(states),
        failing: parsed<FailingChannel>(failing),
      };
    },
    change: async (id, change) => {
      for (let tries = 1; tries <= MOST_TRIES; tries++) {
        const before = (await redis.hget(CHANNELS, id)) ?? '';
        const changed = change(before === '' ? undefined : (JSON.parse(before) as Channel));
        if (changed === undefined) return changed;
        const after = changed === null ? '' : JSON.stringify(changed);
        const keys = [CHANNELS, VERSION, STATES, FAILING];
        const written = await store.durably(CHANNELS, () =>
          runScript<number>(redis, CHANGE, keys, [id, before, after]),
        );
        if (written === 1) return changed;
      }
      throw new QueueUnavailableError(`channel ${id} is being changed by too many at once; ask again later`);
    },
    takeTurn: async (id, ms) => {
      const token = randomUUID();
      if ((await takeTurn(store, turnKey(id), token, ms)) !== null) return undefined;
      const keep = (forMs: number) => runScript<number>(redis, KEEP_TURN, [turnKey(id)], [token, forMs]);
      return {
        keep: async (forMs) => (await keep(forMs)) === 1,
        end: async () => void (await keep(0)),
      };
    },
    note: (id, { state, failing, sent = [] }) =>
      store.durably(STATES, async () => {
        const writing = redis.multi();
        if (state !== undefined) writing.hset(STATES, id, JSON.stringify(state));
        if (failing === null) writing.hdel(FAILING, id);
        else if (failing !== undefined) writing.hset(FAILING, id, JSON.stringify(failing));
        for (const one of sent) writing.xadd(LOG, 'MAXLEN', MOST_LOGGED, '*', 'a', JSON.stringify(one));
        const replies = await writing.exec();
        for (const [error] of replies ?? []) if (error !== null) throw error;
      }),
    listSent: async ({ limit, cursor }) => {
      const after = CURSOR.read(cursor);
      const found = await redis.xrevrange(LOG, after === undefined ? '+' : `(${after.id}`, '-', 'COUNT', limit + 1);
      const shown = found.slice(0, limit);
      const items = shown.map(([id, [, text = '{}']]) => ({
        at: toIso(Number(id.split('-')[0])),
        ...(JSON.parse(text) as SentAlert),
      }));
      const last = shown.at(-1);
      return { items, next: found.length > limit && last !== undefined ? CURSOR.write({ id: last[0] }) : null };
    },
  };
};

const parsed = <Value>(fields: unknown): Map<string, Value> => {
  const texts = Object.entries((fields ?? {}) as Record<string, string>);
  return new Map(texts.map(([id, text]) => [id, JSON.parse(text) as Value]));
};
