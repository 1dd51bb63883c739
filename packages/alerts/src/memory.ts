import type { AlertRecords } from '@clickrelay/queue';
import type { Channel } from './channel.ts';
import type { ChannelState } from './state.ts';

type Records = AlertRecords<Channel, ChannelState>;
type Kept = Awaited<ReturnType<Records['read']>>;
type Noted = Parameters<Records['note']>[1];

/** What was noted without Redis is given up when this process has judged nothing for so long, in ms: another does. */
const STALE_MS = 60_000;

/** The channels and what they were told, as Redis has them, and from memory while it has them not. */
export class Memory {
  readonly #records: Records;
  readonly #onError: (error: unknown) => void;
  #kept: Kept = { version: 0, channels: [], states: new Map(), failing: new Map() };
  #hasRedis = false;
  #judgedMs = 0;
  /** What Redis did not take, by the id of the channel. */
  readonly #unsaved = new Map<string, Noted>();

  constructor(records: Records, onError: (error: unknown) => void) {
    this.#records = records;
    this.#onError = onError;
  }

  /** Whether the last look found Redis with what it had. */
  get hasRedis(): boolean {
    return this.#hasRedis;
  }

  channels(): readonly Channel[] {
    return this.#kept.channels;
  }

  stateOf(id: string): ChannelState | undefined {
    return this.#kept.states.get(id);
  }

  failingOf(id: string): NonNullable<Noted['failing']> | undefined {
    return this.#kept.failing.get(id);
  }

  /** Before a judgement is told. */
  async refreshFor(nowMs: number): Promise<void> {
    if (nowMs - this.#judgedMs > STALE_MS) this.#unsaved.clear();
    this.#judgedMs = nowMs;
    await this.refresh();
    if (!this.#hasRedis || this.#unsaved.size === 0) return;
    const unsaved = [...this.#unsaved];
    this.#unsaved.clear();
    for (const [id, noted] of unsaved) await this.note(id, noted);
  }

  async refresh(): Promise<void> {
    try {
      const kept = await this.#records.read();
      // A flushed Redis has no channels: they are not removed, and the loss itself is to be told.
      this.#hasRedis = kept.version > 0 || this.#kept.version === 0;
      if (this.#hasRedis) this.#kept = kept;
    } catch (error) {
      this.#hasRedis = false;
      this.#onError(error);
    }
  }

  /** Remembers, and writes it down if Redis takes it. */
  async note(id: string, noted: Noted): Promise<void> {
    const { state, failing } = noted;
    const states = new Map(this.#kept.states);
    const allFailing = new Map(this.#kept.failing);
    if (state !== undefined) states.set(id, state);
    if (failing === null) allFailing.delete(id);
    else if (failing !== undefined) allFailing.set(id, failing);
    this.#kept = { ...this.#kept, states, failing: allFailing };
    if (this.#hasRedis) {
      try {
        await this.#records.note(id, noted);
        return;
      } catch (error) {
        this.#onError(error);
      }
    }
    const { sent = [], ...before } = this.#unsaved.get(id) ?? {};
    this.#unsaved.set(id, { ...before, ...noted, sent: [...sent, ...(noted.sent ?? [])] });
  }
}
