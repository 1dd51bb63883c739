import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelFacts, Verdict } from '@clickrelay/health';
import type { AlertRecords, SentAlert } from '@clickrelay/queue';
import { parseRanges, warningsOfUrl } from '@clickrelay/webhook-forwarder';
import { type Alert, testAlert } from './alert.ts';
import type { Channel } from './channel.ts';
import { Memory } from './memory.ts';
import { messagesFor } from './messages.ts';
import { noteTold, planAlerts } from './plan.ts';
import { type Clock, type Sending, type Sent, sendOnce, sendWithTries } from './send.ts';
import { type ChannelState, NOTHING_TOLD } from './state.ts';

/** Longer than the longest wait between two tries and the try after it. */
const TURN_MS = 90_000;
/** How often channels are read for the time when Redis is away. */
const REFRESH_MS = 15_000;

/** A line for the log. Holds ids, codes and counts. */
export interface AlertLine {
  readonly channelId: string;
  readonly alerts: readonly string[];
  readonly status: number | null;
  readonly error: string | null;
  readonly tries: number;
}

export interface AlerterOptions {
  readonly records: AlertRecords<Channel, ChannelState>;
  readonly userAgent: string;
  readonly egressAllow: readonly string[];
  onSent(line: AlertLine): void;
  onError(error: unknown): void;
  readonly clock?: Clock;
}

const realClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
};

/** Tells people what is wrong. Holds the channels in memory, so that it can tell that Redis is away. */
export class Alerter {
  readonly #options: AlerterOptions;
  readonly #clock: Clock;
  readonly #memory: Memory;
  readonly #stop = new AbortController();
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: AlerterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#memory = new Memory(options.records, options.onError);
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS).unref();
  }

  /** Reads the channels, as soon as Redis can be asked. */
  refresh(): Promise<void> {
    return this.#memory.refresh();
  }

  /** Takes the latest judgement. Resolves when all that it made due was sent or given up: nobody needs to wait. */
  async onVerdict(verdict: Verdict): Promise<void> {
    const nowMs = Date.parse(verdict.checkedAt);
    await this.#memory.refreshFor(nowMs);
    const telling = this.#memory.channels().map(async (channel) => {
      if (this.#stop.signal.aborted || this.#busy.has(channel.id)) return;
      this.#busy.add(channel.id);
      try {
        await this.#tell(channel, verdict, nowMs);
      } catch (error) {
        this.#options.onError(error);
      } finally {
        this.#busy.delete(channel.id);
      }
    });
    const all = Promise.all(telling).then(() => {});
    this.#running.add(all);
    await all.finally(() => this.#running.delete(all));
  }

  /** What is judged of the channels. */
  facts(): readonly ChannelFacts[] {
    return this.#memory.channels().map(({ id }) => {
      const failing = this.#memory.failingOf(id);
      return { id, failingSince: failing?.since ?? null, lastErrorCode: failing?.code ?? null };
    });
  }

  /** What is valid and will not work from here. Names nothing of the URL. */
  warningsOf({ url }: Pick<Channel, 'url'>): string[] {
    if (warningsOfUrl(url, parseRanges(this.#options.egressAllow)).length === 0) return [];
    return ['nothing is sent to a private address, or without https, unless EGRESS_ALLOW of the API opens the address'];
  }

  /** Sends a test, once. What was wrong with the channel is over when it takes it. */
  async test(channel: Channel): Promise<Sent> {
    const nowMs = this.#clock.now();
    const [message] = messagesFor(channel, [testAlert(channel.id, nowMs, nowMs)]);
    if (message === undefined) throw new Error('a test is one message');
    await this.refresh();
    const sent = await sendOnce(channel, message, this.#sending());
    const isTaken = sent.error === null;
    await this.#memory.note(channel.id, {
      sent: message.alerts.map((alert) => logged(channel, alert, sent)),
      ...(isTaken && { failing: null }),
    });
    this.#tellLog(channel, message.alerts, sent);
    return sent;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  #sending(): Sending {
    const { userAgent, egressAllow } = this.#options;
    return { clock: this.#clock, userAgent, egressAllow, signal: this.#stop.signal };
  }

  /** Only who has the turn writes or sends: of two processes that both believe they judge, one. */
  async #tell(channel: Channel, verdict: Verdict, nowMs: number): Promise<void> {
    if (!this.#memory.hasRedis) return this.#send(channel, verdict, { nowMs, beforeTry: () => Promise.resolve(true) });
    const { alerts, state } = this.#plan(channel, verdict, nowMs);
    if (alerts.length === 0 && isSame(state, this.#memory.stateOf(channel.id))) return;
    const turn = await this.#options.records.takeTurn(channel.id, TURN_MS);
    if (turn === undefined) return;
    try {
      // Somebody else may have told it since we read.
      await this.#memory.refresh();
      const present = this.#memory.channels().find(({ id }) => id === channel.id);
      if (present === undefined) return;
      const beforeTry = () => turn.keep(TURN_MS).catch(() => true);
      await this.#send(present, verdict, { nowMs, beforeTry });
    } finally {
      // Without Redis it ends by itself.
      await turn.end().catch(() => {});
    }
  }

  #plan(channel: Channel, verdict: Verdict, nowMs: number) {
    const state = this.#memory.stateOf(channel.id) ?? NOTHING_TOLD;
    const lastFailedMs = this.#memory.failingOf(channel.id)?.triedAt ?? null;
    return planAlerts(verdict, { channel, state, lastFailedMs }, nowMs);
  }

  async #send(
    channel: Channel,
    verdict: Verdict,
    { nowMs, beforeTry }: { nowMs: number; beforeTry: () => Promise<boolean> },
  ): Promise<void> {
    const { id } = channel;
    const plan = this.#plan(channel, verdict, nowMs);
    let { state } = plan;
    if (!isSame(state, this.#memory.stateOf(id))) await this.#memory.note(id, { state });
    if (plan.alerts.length === 0) return;
    for (const message of messagesFor(channel, plan.alerts)) {
      const sent = await sendWithTries(channel, message, { ...this.#sending(), beforeTry });
      if (sent === undefined) return;
      this.#tellLog(channel, message.alerts, sent);
      const lines = message.alerts.map((alert) => logged(channel, alert, sent));
      if (sent.error !== null) {
        const since = this.#memory.failingOf(id)?.since ?? nowMs;
        await this.#memory.note(id, { failing: { since, triedAt: nowMs, code: sent.error }, sent: lines });
        return;
      }
      state = noteTold(state, message.alerts, nowMs);
      await this.#memory.note(id, { state, failing: null, sent: lines });
    }
  }

  #tellLog({ id }: Channel, alerts: readonly Alert[], { status, error, tries }: Sent): void {
    this.#options.onSent({ channelId: id, alerts: alerts.map((alert) => alert.id), status, error, tries });
  }
}

const isSame = (state: ChannelState, before: ChannelState | undefined): boolean =>
  JSON.stringify(state) === JSON.stringify(before ?? NOTHING_TOLD);

const logged = (channel: Channel, alert: Alert, { status, error, tries }: Sent): SentAlert => {
  const { id, what, code, severity, subject } = alert;
  return { id, channelId: channel.id, what, code, severity, subject, status, error, tries };
};
