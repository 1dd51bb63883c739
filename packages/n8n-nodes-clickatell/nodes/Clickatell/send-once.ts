import {
  type IDataObject,
  type IExecuteFunctions,
  type JsonObject,
  NodeApiError,
  NodeOperationError,
} from 'n8n-workflow';
import { callRelay, RelayError } from '../shared/call-relay.ts';
import { explainRelay } from '../shared/explain-relay.ts';
import { pause } from '../shared/pause.ts';
import type { Task } from './api.ts';
import type { MessageOptions } from './build-message.ts';
import type { Occasion } from './find-event.ts';
import { type SendResult, sendMessages } from './send.ts';
import type { Message, Named } from './send-safely.ts';

/*
 * Sends each message once for each event and place: Clickrelay notes who is about to send it, and what became of it.
 * The note is made before the message is sent, so that a crash in between leaves a doubt, never a second message.
 */

/** How long a note says "about to be sent" before it says "nobody knows". Longer than a request and its retries take. */
const HOLD_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;
/** Of telling what became of messages. When all fail, the note stays a doubt. */
const SETTLE_TRIES = 3;

type Told =
  | { readonly state: 'yours'; readonly token: string }
  | { readonly state: 'done'; readonly result: string }
  | { readonly state: 'busy' }
  | { readonly state: 'unknown' };

/** A message with what Clickrelay said of it. */
interface Noted {
  readonly message: Message;
  readonly onceKey: string;
  readonly told: Told;
}

/** Sends messages, each at most once if it can be told which event it is for. */
export const sendOnce = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  named: readonly Named[],
  { options, plan }: { readonly options: MessageOptions; readonly plan: Task },
): Promise<SendResult[]> => {
  const all = named.map(({ message }) => message);
  const isOnce = named.every(({ onceKey }) => onceKey !== undefined);
  if (!isOnce || options.once === false || !hasClickrelay(n8n)) return await sendMessages(n8n, itemIndex, all, plan);

  const inDoubt = options.inDoubt ?? 'stop';
  const noted = await claim(n8n, itemIndex, named as ReadonlyArray<Required<Named>>, { inDoubt, plan });
  if (noted === undefined) return await sendMessages(n8n, itemIndex, all, plan);
  const ours = noted.filter(({ told }) => told.state === 'yours');
  const sent = new Map<Message, SendResult>();
  if (ours.length > 0) {
    const messages = ours.map(({ message }) => message);
    const given = await sendMessages(n8n, itemIndex, messages, plan).catch(async (error: NodeApiError) => {
      const { maybeSent = true } = error.context ?? {};
      await settle(n8n, ours, () => ({ outcome: maybeSent === false ? 'not_done' : 'unknown' }), plan);
      throw error;
    });
    for (const [at, result] of given.entries()) sent.set(messages[at] as Message, result);
    await settle(n8n, ours, ({ message }) => outcomeOf(sent.get(message) as SendResult), plan);
  }
  const results = noted.map(({ message, told }) => sent.get(message) ?? resultOf(message, told));
  if (results.every(({ failure }) => failure === IN_DOUBT)) throw doubt(n8n, itemIndex, all);
  return results;
};

/**
 * @throws {NodeOperationError} when Clickrelay starts the workflow again after a failure, and the node cannot tell it
 *   what was sent
 */
export const assertOnce = (
  n8n: IExecuteFunctions,
  itemIndex: number,
  { isRelayed }: Occasion,
  { once }: MessageOptions,
): void => {
  if (!isRelayed || once === false || hasClickrelay(n8n)) return;
  throw new NodeOperationError(n8n.getNode(), 'Choose the Clickrelay credential in this node too', {
    itemIndex,
    description:
      'Clickrelay starts this workflow again when it fails, and notes what was sent, so that nobody gets a message twice. To send again with each try, switch off Send Once per Event under Options.',
  });
};

const hasClickrelay = (n8n: IExecuteFunctions): boolean => n8n.getNode().credentials?.['clickrelayApi'] !== undefined;

/** Resolves when no message is about to be sent by another; undefined when Clickrelay is away and that does not matter. */
const claim = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  named: ReadonlyArray<Required<Named>>,
  { inDoubt, plan }: { readonly inDoubt: 'stop' | 'send'; readonly plan: Task },
): Promise<Noted[] | undefined> => {
  const told = new Map<string, Told>();
  const withTold = (): Noted[] =>
    named.map(({ message, onceKey }) => {
      const key = String(onceKey);
      return { message, onceKey: key, told: told.get(key) as Told };
    });
  for (;;) {
    const keys = named
      .map(({ onceKey }) => String(onceKey))
      .filter((key) => (told.get(key)?.state ?? 'busy') === 'busy');
    const body = { keys, holdMs: HOLD_MS, takeOver: inDoubt === 'send' };
    const answer = await callRelay(n8n, 'POST', '/v1/once', { body }).catch((error: RelayError) => error);
    if (answer instanceof RelayError) {
      // What was claimed already is settled by nobody, which only leaves a doubt.
      if (answer.isOutage && inDoubt === 'send') return undefined;
      throw await relayFailure(n8n, itemIndex, answer);
    }
    for (const one of answer['claims'] as unknown as Array<Told & { readonly key: string }>) told.set(one.key, one);
    if (![...told.values()].some(({ state }) => state === 'busy')) break;
    await pause(LOOK_AGAIN_MS, plan.signal);
    if (plan.signal?.aborted) {
      const ours = withTold().filter((one) => one.told.state === 'yours');
      if (ours.length > 0) await settle(n8n, ours, () => ({ outcome: 'not_done' }), plan);
      throw new NodeOperationError(n8n.getNode(), 'The execution was stopped', { itemIndex });
    }
  }
  return withTold();
};

const settle = async (
  n8n: IExecuteFunctions,
  ours: readonly Noted[],
  outcomeFor: (noted: Noted) => IDataObject,
  { signal }: Task,
): Promise<void> => {
  const outcomes = ours.map((noted) => ({
    key: noted.onceKey,
    token: (noted.told as { token?: string }).token,
    ...outcomeFor(noted),
  }));
  for (let left = SETTLE_TRIES; left > 0; left--) {
    const failed = await callRelay(n8n, 'POST', '/v1/once/settle', { body: { outcomes } }).then(
      () => false,
      () => true,
    );
    if (!failed) return;
    if (left > 1) await pause(LOOK_AGAIN_MS, signal);
  }
};

const outcomeOf = ({ accepted, apiMessageId, failure }: SendResult): IDataObject => {
  if (accepted) return { outcome: 'done', result: (apiMessageId ?? '').slice(0, 200) };
  return { outcome: failure?.maybeSent === true ? 'unknown' : 'not_done' };
};

const IN_DOUBT = { code: null, description: 'It is not known whether an earlier try has sent it', maybeSent: true };

const resultOf = (message: Message, told: Told): SendResult => {
  const about = {
    clientMessageId: message.clientMessageId,
    to: textOrNull(message['to']),
    channel: textOrNull(message['channel']),
  };
  if (told.state !== 'done') return { accepted: false, apiMessageId: null, ...about, failure: IN_DOUBT };
  return { accepted: true, apiMessageId: told.result || null, ...about, failure: null, alreadySent: true };
};

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const doubt = (n8n: IExecuteFunctions, itemIndex: number, [first]: readonly Message[]): NodeOperationError =>
  new NodeOperationError(n8n.getNode(), 'It is not known whether an earlier try has sent this message', {
    itemIndex,
    description: `n8n or the connection broke while Clickatell was asked, and no status of the message has come since (client message ID ${first?.clientMessageId}). Nothing was sent now. If a status comes, the next try takes it as sent. To send again when in doubt, choose that in When in Doubt, under Options, and replay the event.`,
  });

const relayFailure = async (n8n: IExecuteFunctions, itemIndex: number, error: RelayError): Promise<NodeApiError> => {
  const { baseUrl } = await n8n.getCredentials('clickrelayApi', itemIndex);
  const { message, description } =
    error.status === 403
      ? {
          message: 'This API key may not note what was sent',
          description: `${error.message}. It needs the scope lease, as the trigger’s key has it.`,
        }
      : explainRelay(error, String(baseUrl ?? ''));
  const told = `${description} Nothing was sent: without Clickrelay it is not known whether an earlier try has sent it. To send all the same, choose that in When in Doubt, under Options.`;
  return new NodeApiError(n8n.getNode(), { description: told } as JsonObject, {
    itemIndex,
    message,
    description: told,
  });
};
