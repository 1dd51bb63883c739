import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import type { Random } from './random.ts';

/** One event as it was sent. What it is known by is its `messageId`, which no two of a run share. */
interface Fact {
  readonly id: string;
  readonly type: string;
  /** The element on the wire. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** A callback that the pretend Clickatell has sent, or is about to. */
export interface SentCallback {
  readonly body: string;
  readonly facts: readonly Fact[];
}

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  /** From sending to the last byte of the answer, or to giving up. */
  readonly ms: number;
  /** On the clock of `fairNow`. */
  readonly at: number;
  readonly body: string;
}

/**
 * What Clickatell knows: everything it sent, and what it was told is kept. The proof is made of these two alone; nothing in
 * them was ever asked of Clickrelay.
 */
export interface Ledger {
  readonly sent: ReadonlyMap<string, Fact>;
  readonly acknowledged: ReadonlySet<string>;
  readonly answers: readonly Answer[];
  /** Before it leaves: it may arrive without us hearing of it. */
  note(callback: SentCallback): void;
  answered(callback: SentCallback, answer: Answer): void;
  slowestMs(): number;
}

export const isAccepted = ({ status }: Answer): boolean => status >= 200 && status < 300;

export const createLedger = (): Ledger => {
  const sent = new Map<string, Fact>();
  const acknowledged = new Set<string>();
  const answers: Answer[] = [];
  return {
    sent,
    acknowledged,
    answers,
    note: ({ facts }) => {
      for (const fact of facts) sent.set(fact.id, fact);
    },
    answered: ({ facts }, answer) => {
      answers.push(answer);
      if (isAccepted(answer)) for (const { id } of facts) acknowledged.add(id);
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
  /** How long a text each event has beside its own. @default none */
  readonly contentBytes?: number;
}

/** A callback that tells of something new, in one of as many conversations as there are shards and more. */
export const newCallback = (
  random: Random,
  { events = 1, types = TYPES, contentBytes = 0 }: CallbackOptions = {},
): SentCallback => {
  const facts: Fact[] = [];
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
    facts.push({ id: raw['messageId'] as string, type, raw });
    envelope ??= { ...one, event: {} };
    envelope.event[type] = [...(envelope.event[type] ?? []), raw];
  }
  return { body: JSON.stringify(envelope), facts };
};
