import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import type { Random } from './random.ts';

/** An event as sent, identified by its `messageId`, which is unique in a run. */
interface SentEvent {
  readonly id: string;
  readonly type: string;
  /** The element on the wire. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** A callback that the pretend Clickatell has sent or is about to send. */
export interface SentCallback {
  readonly body: string;
  readonly sentEvents: readonly SentEvent[];
}

export interface CallbackAnswer {
  /** 0 when there was none. */
  readonly status: number;
  /** From sending until the last byte of the answer, or until giving up. */
  readonly ms: number;
  /** On the clock of `fairNow`. */
  readonly at: number;
  readonly body: string;
}

/**
 * Everything that Clickatell sent, and everything that was acknowledged to it. The proof rests on these two alone, and
 * never on anything that Clickrelay reports about itself.
 */
export interface Ledger {
  readonly sent: ReadonlyMap<string, SentEvent>;
  readonly acknowledged: ReadonlySet<string>;
  readonly answers: readonly CallbackAnswer[];
  /** Records a callback before it leaves, as it may arrive without us knowing. */
  note(callback: SentCallback): void;
  answered(callback: SentCallback, answer: CallbackAnswer): void;
  slowestMs(): number;
}

export const isAccepted = ({ status }: CallbackAnswer): boolean => status >= 200 && status < 300;

export const createLedger = (): Ledger => {
  const sent = new Map<string, SentEvent>();
  const acknowledged = new Set<string>();
  const answers: CallbackAnswer[] = [];
  return {
    sent,
    acknowledged,
    answers,
    note: ({ sentEvents }) => {
      for (const sentEvent of sentEvents) sent.set(sentEvent.id, sentEvent);
    },
    answered: ({ sentEvents }, answer) => {
      answers.push(answer);
      if (isAccepted(answer)) for (const { id } of sentEvents) acknowledged.add(id);
    },
    slowestMs: () => answers.reduce((slowest, { ms }) => Math.max(slowest, ms), 0),
  };
};

const TYPES = [
  'moText',
  'moText',
  'moText',
  'messageStatusUpdate',
  'messageStatusUpdate',
  'moButtonResponse',
  'moLocation',
  'moSomethingNew',
];

export interface CallbackOptions {
  /** Events in it. @default 1 */
  readonly events?: number;
  /** @default a mix, an unknown one among them */
  readonly types?: readonly string[];
  /** The length of an extra text in each event. @default none */
  readonly contentBytes?: number;
}

/** Makes a callback with new events, in one of more conversations than there are shards. */
export const newCallback = (
  random: Random,
  { events = 1, types = TYPES, contentBytes = 0 }: CallbackOptions = {},
): SentCallback => {
  const sentEvents: SentEvent[] = [];
  let envelope: Envelope | undefined;
  for (let i = 0; i < events; i++) {
    const type = random.pick(types);
    const one = sampleCallback(type, {
      messageId: random.hex(32),
      timestamp: 1_700_000_000_000 + random.whole(0, 1e10),
      from: `27999${String(random.whole(0, 999_999)).padStart(6, '0')}`,
      ...(contentBytes > 0 && { padding: 'x'.repeat(contentBytes) }),
    });
    const raw = one.event[type]?.[0] as Record<string, unknown>;
    sentEvents.push({ id: raw['messageId'] as string, type, raw });
    envelope ??= { ...one, event: {} };
    envelope.event[type] = [...(envelope.event[type] ?? []), raw];
  }
  return { body: JSON.stringify(envelope), sentEvents };
};
