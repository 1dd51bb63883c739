import type { IDataObject, IExecuteFunctions, NodeApiError } from 'n8n-workflow';
import { call, failureOf, type RetryPlan, throwFailure, withRetries } from './api.ts';
import { type ApiFailure, explainFailure, isSafeToRetry, readFailure } from './errors.ts';
import type { Message } from './send-safely.ts';

/** The result of sending one message. */
export interface SendResult {
  readonly accepted: boolean;
  /** Comes back as `messageId` of its status updates; null when it was not accepted. */
  readonly apiMessageId: string | null;
  /** Comes back as `clientMessageId` of its status updates. */
  readonly clientMessageId: string;
  readonly to: string | null;
  readonly channel: string | null;
  readonly failure: ApiFailure | null;
  /** An earlier try has sent it; this one did not. */
  readonly alreadySent?: true;
}

/**
 * Sends messages in one request, and sends again only those that the rate limit refused: whatever its status, an
 * answer may report on each message separately. Throws when the request as a whole is refused.
 */
export const sendMessages = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  messages: readonly Message[],
  plan: RetryPlan,
): Promise<SendResult[]> => {
  const results = new Map<Message, SendResult>();
  let waiting = [...messages];

  await withRetries(
    plan,
    async () => {
      const request = { method: 'POST', url: '/v1/message', body: { messages: waiting } } as const;
      const answer = await call(n8n, itemIndex, request).catch((error: NodeApiError) => {
        if (![...results.values()].some(({ accepted }) => accepted)) throw error;
        // Some messages were accepted before, and their results matter more than this error.
        const lost = { code: null, description: error.message, maybeSent: error.context['maybeSent'] === true };
        for (const message of waiting) results.set(message, resultOf(message, undefined, lost));
        waiting = [];
      });
      if (answer === undefined) return;
      const told = messagesOf(answer.body);
      const failure =
        failureOf(answer) ?? (Array.isArray(answer.body['messages']) ? null : readFailure(answer.body['error']));
      if (failure !== null && told.length === 0) {
        for (const message of waiting) results.set(message, resultOf(message, undefined, failure));
        if (isSafeToRetry(failure)) return;
        // If some messages were accepted before, their results matter more than this error.
        if ([...results.values()].some((result) => result.accepted)) {
          waiting = [];
          return;
        }
        throwFailure(n8n, itemIndex, failure, answer.status);
      }
      for (const [message, about] of match(waiting, told)) {
        // The failure of the request counts only for messages that have no word of their own.
        const own = readFailure(about?.['error']) ?? (about?.['accepted'] === true ? null : failure);
        results.set(message, resultOf(message, about, own));
      }
      waiting = waiting.filter((message) => isSafeToRetry(results.get(message)?.failure ?? null));
    },
    () => waiting.length > 0,
  );
  return messages.map((message) => results.get(message) as SendResult);
};

const messagesOf = (body: IDataObject): IDataObject[] =>
  Array.isArray(body['messages']) ? (body['messages'] as unknown[]).filter(isObject) : [];

const isObject = (value: unknown): value is IDataObject => typeof value === 'object' && value !== null;

/** Matches results to messages by our id, then by recipient, then by elimination: their order is not promised. */
const match = (messages: readonly Message[], told: readonly IDataObject[]): Map<Message, IDataObject | undefined> => {
  const left = [...told];
  const pick = (fits: (about: IDataObject) => boolean): IDataObject | undefined => {
    const at = left.findIndex(fits);
    return at === -1 ? undefined : left.splice(at, 1)[0];
  };
  const matched = new Map<Message, IDataObject | undefined>();
  for (const message of messages) {
    matched.set(
      message,
      pick((about) => about['clientMessageId'] === message.clientMessageId),
    );
  }
  for (const message of messages) {
    if (matched.get(message) !== undefined) continue;
    matched.set(
      message,
      pick((about) => about['to'] === message['to'] && !about['clientMessageId']),
    );
  }
  for (const message of messages) {
    if (matched.get(message) === undefined)
      matched.set(
        message,
        pick((about) => !about['clientMessageId'] && !about['to']),
      );
  }
  return matched;
};

const resultOf = (message: Message, about: IDataObject | undefined, failure: ApiFailure | null): SendResult => {
  const apiMessageId = textOrNull(about?.['apiMessageId']);
  const accepted =
    failure === null && (about?.['accepted'] === true || (about?.['accepted'] === undefined && apiMessageId !== null));
  return {
    accepted,
    apiMessageId,
    clientMessageId: message.clientMessageId,
    to: textOrNull(about?.['to']) ?? textOrNull(message['to']),
    channel: textOrNull(message['channel']),
    failure: accepted ? null : (failure ?? { code: null, description: null, maybeSent: true }),
  };
};

/** Words a result as an item's JSON. */
export const describeResult = ({ failure, ...result }: SendResult): IDataObject => {
  if (failure === null) return { ...result, error: null };
  const { message, description } = explainFailure(failure);
  return { ...result, error: { code: failure.code, message, description } };
};

const textOrNull = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;
