import { sendOne } from '@clickrelay/webhook-forwarder';
import { discordRetryAfterMs } from './bodies/discord.ts';
import type { Channel } from './channel.ts';
import type { Message } from './messages.ts';

/** When a message is tried, in ms after the try before. */
const WAITS_MS = [0, 10_000, 50_000];
/** A service that asks for more is waited for this long. */
const LONGEST_WAIT_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** The time, and how to wait for it. */
export interface Clock {
  now(): number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Sending {
  readonly clock: Clock;
  /** `Clickrelay/<version>` */
  readonly userAgent: string;
  readonly egressAllow: readonly string[];
  readonly signal: AbortSignal;
}

/** What came of a message. Holds nothing of the URL, and nothing of the answer but its status. */
export interface Sent {
  readonly status: number | null;
  /** The answer's status, or the code of the error; null when it was taken. */
  readonly error: string | null;
  readonly tries: number;
  /** A word that Slack answers a refusal with, if it is one of the known ones. */
  readonly word: string | null;
}

/** Words of Slack that say what is wrong. Nothing else of an answer is shown. */
const WORDS = [
  'invalid_payload',
  'invalid_token',
  'action_prohibited',
  'channel_not_found',
  'channel_is_archived',
  'no_active_hooks',
  'no_service',
  'no_team',
  'posting_to_general_channel_denied',
  'user_not_found',
];

interface Tried extends Omit<Sent, 'tries'> {
  readonly retryAfterMs: number | undefined;
}

const tryOnce = async ({ type, secret }: Channel, message: Message, sending: Sending): Promise<Tried> => {
  const { url, body, signedAs } = message;
  const { clock, userAgent, egressAllow, signal } = sending;
  const answer = await sendOne({
    url,
    headers: { 'content-type': 'application/json', 'user-agent': userAgent },
    body,
    ...(signedAs !== null && secret !== undefined && { signed: { id: signedAs, secret, at: new Date(clock.now()) } }),
    egressAllow,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (answer.status === null) return { status: null, error: answer.code, word: null, retryAfterMs: undefined };
  const { status, response } = answer;
  if (status >= 200 && status <= 299) return { status, error: null, word: null, retryAfterMs: undefined };
  const asked = answer.retryAfterMs ?? (type === 'discord' ? discordRetryAfterMs(response) : undefined);
  const word = WORDS.find((known) => known === response.trim()) ?? null;
  return { status, error: String(status), word, retryAfterMs: asked };
};

/** Tries once. */
export const sendOnce = async (channel: Channel, message: Message, sending: Sending): Promise<Sent> => {
  const { retryAfterMs: _, ...tried } = await tryOnce(channel, message, sending);
  return { ...tried, tries: 1 };
};

/** Tries at 0, 10 and 60 seconds. @param beforeTry returns false when somebody else sends it now */
export const sendWithTries = async (
  channel: Channel,
  message: Message,
  { beforeTry, ...sending }: Sending & { beforeTry: () => Promise<boolean> },
): Promise<Sent | undefined> => {
  let last: Sent | undefined;
  let askedMs = 0;
  for (const [index, waitMs] of WAITS_MS.entries()) {
    const pauseMs = Math.max(waitMs, Math.min(askedMs, LONGEST_WAIT_MS));
    if (pauseMs > 0) await sending.clock.sleep(pauseMs, sending.signal);
    if (sending.signal.aborted || !(await beforeTry())) return undefined;
    const { retryAfterMs = 0, ...tried } = await tryOnce(channel, message, sending);
    if (sending.signal.aborted) return undefined;
    last = { ...tried, tries: index + 1 };
    if (tried.error === null) return last;
    askedMs = retryAfterMs;
  }
  return last;
};
