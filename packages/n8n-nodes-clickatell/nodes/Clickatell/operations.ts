import { randomUUID } from 'node:crypto';
import { classifyStatus } from '@clickrelay/core';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { call, failureOf, read, type Task, throwFailure, withRetries } from './api.ts';
import {
  type Button,
  buttonsContent,
  hsmContent,
  InvalidMessageError,
  locationContent,
  type MessageOptions,
  messageTo,
  readEvent,
  readRawMessages,
  readText,
  replyTo,
  templateContent,
} from './build-message.ts';
import { download, type MediaSource, mediaOf } from './download.ts';
import { isSafeToRetry, readFailure } from './errors.ts';
import { findOccasion, type Occasion } from './find-event.ts';
import { describeResult } from './send.ts';
import { assertOnce, sendOnce } from './send-once.ts';
import { describeHeld, isHeld, nameMessages } from './send-safely.ts';

/** The output of an operation for one item; the node adds which item it came from. */
type Output = Pick<INodeExecutionData, 'json' | 'binary'>;

/** Runs an operation for one item. */
type Operation = (n8n: IExecuteFunctions, itemIndex: number, plan: Task) => Promise<Output[]>;

/** Builds the content of a message. One that is held is not sent, so nothing may be uploaded for it. */
type Content = (n8n: IExecuteFunctions, itemIndex: number, plan: Task, held: boolean) => Promise<IDataObject>;

const sendOne = (content: Content): Operation => {
  return async (n8n, i, plan) => {
    const options = n8n.getNodeParameter('options', i, {}) as MessageOptions;
    const channel = n8n.getNodeParameter('channel', i) as string;
    const cause = causeOf(n8n, i, options);
    const to = n8n.getNodeParameter('to', i);
    Object.assign(plan.about, { to, channel, eventId: cause.event?.['eventId'] ?? null });
    // Built before a file is uploaded, so that a missing recipient costs no upload.
    const message = messageTo(channel, to, {}, options);
    return await send(n8n, i, cause, [{ ...message, ...(await content(n8n, i, plan, cause.held)) }], plan);
  };
};

/** Why a message is sent, and whether it may be. */
interface Cause extends Occasion {
  readonly held: boolean;
}

const causeOf = (n8n: IExecuteFunctions, i: number, { event, sendInTests }: MessageOptions): Cause => {
  const found = findOccasion(n8n, i);
  const occasion = isGiven(event) ? { ...found, event: readEvent(event) } : found;
  return { ...occasion, held: sendInTests !== true && isHeld(n8n, occasion) };
};

/** The event that the field names, or else the one that the item comes from. */
const eventOf = (n8n: IExecuteFunctions, i: number): unknown => {
  const event = n8n.getNodeParameter('event', i, '');
  return isGiven(event) ? event : findOccasion(n8n, i).event;
};

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/**
 * Sends messages, once for each event and place, unless it is only a test. Each has its own result, because repeating
 * all for one refusal would send the others twice; it is an error of this item when none was accepted.
 */
const send = async (
  n8n: IExecuteFunctions,
  i: number,
  cause: Cause,
  messages: readonly IDataObject[],
  plan: Task,
): Promise<Output[]> => {
  const named = nameMessages(n8n, i, cause, messages);
  const eventId = cause.event?.['eventId'] ?? null;
  const [first] = named;
  const { to = null, channel = null, clientMessageId = null } = (first?.message ?? {}) as IDataObject;
  Object.assign(plan.about, { to, channel, clientMessageId, eventId });
  const options = n8n.getNodeParameter('options', i, {}) as MessageOptions;
  assertOnce(n8n, i, cause, options);
  if (cause.held) return named.map(({ message }) => ({ json: { ...describeHeld(message), eventId } }));
  const results = await sendOnce(n8n, i, named, { options, plan });
  const [result] = results;
  if (result?.failure && results.every(({ accepted }) => !accepted)) throwFailure(n8n, i, result.failure);
  return results.map((result) => ({ json: { ...describeResult(result), eventId } }));
};

const sendRaw = async (n8n: IExecuteFunctions, i: number, plan: Task): Promise<Output[]> => {
  const messages = readRawMessages(n8n.getNodeParameter('rawMessages', i));
  const cause = causeOf(n8n, i, n8n.getNodeParameter('options', i, {}) as MessageOptions);
  return await send(n8n, i, cause, messages, plan);
};

const reply = async (n8n: IExecuteFunctions, i: number, plan: Task): Promise<Output[]> => {
  const { quote, ...options } = n8n.getNodeParameter('options', i, {}) as MessageOptions & { quote?: boolean };
  const event = n8n.getNodeParameter('event', i, '');
  const cause = causeOf(n8n, i, { ...options, event });
  const text = n8n.getNodeParameter('text', i) as string;
  return await send(n8n, i, cause, [replyTo(cause.event, text, { quote: quote === true }, options)], plan);
};

const template = (n8n: IExecuteFunctions, i: number): IDataObject => {
  const given = n8n.getNodeParameter('templateParameters.parameter', i, []) as Array<{ value: string }>;
  const name = n8n.getNodeParameter('templateName', i) as string;
  const parameters = given.map(({ value }) => value);
  const { hsm } = n8n.getNodeParameter('options', i, {}) as { hsm?: boolean };
  if (hsm === true) return hsmContent({ name, parameters });
  switch (n8n.getNodeParameter('templateHeader', i, 'none')) {
    case 'text': {
      const header = { type: 'text', parameters: [n8n.getNodeParameter('templateHeaderText', i) as string] } as const;
      return templateContent({ name, parameters, header });
    }
    case 'media': {
      const uploaded = {
        fileId: n8n.getNodeParameter('templateHeaderFileId', i) as string,
        contentType: n8n.getNodeParameter('templateHeaderContentType', i) as string,
      };
      return templateContent({ name, parameters, header: { type: 'media', media: uploaded } });
    }
    default:
      return templateContent({ name, parameters });
  }
};

const media: Content = async (n8n, i, plan, held) => {
  const caption = n8n.getNodeParameter('caption', i, '') as string;
  const withCaption = caption === '' ? {} : { caption };
  if (n8n.getNodeParameter('mediaSource', i) === 'fileId') {
    const fileId = n8n.getNodeParameter('fileId', i) as string;
    return { media: { fileId, contentType: n8n.getNodeParameter('contentType', i) as string, ...withCaption } };
  }
  const field = n8n.getNodeParameter('binaryPropertyName', i) as string;
  const { mimeType } = n8n.helpers.assertBinaryData(i, field);
  if (held) return { media: { contentType: mimeType, ...withCaption } };
  if (n8n.getNodeParameter('mediaTransport', i) === 'inline') {
    const bytes = await n8n.helpers.getBinaryDataBuffer(i, field);
    return { content: bytes.toString('base64'), contentType: mimeType, ...withCaption };
  }
  const { fileId, contentType } = await upload(n8n, i, field, plan);
  return { media: { fileId, contentType, ...withCaption } };
};

const upload = async (n8n: IExecuteFunctions, i: number, field: string, plan: Task): Promise<IDataObject> => {
  const { mimeType, fileName } = n8n.helpers.assertBinaryData(i, field);
  const bytes = await n8n.helpers.getBinaryDataBuffer(i, field);
  const answer = await withRetries(
    plan,
    async () =>
      await call(n8n, i, {
        method: 'POST',
        url: '/v1/media',
        qs: { fileName: fileName ?? 'file' },
        body: bytes,
        headers: { 'content-type': mimeType },
        timeout: 120_000,
      }),
    (given) => isSafeToRetry(failureOf(given)),
  );
  const failure = failureOf(answer) ?? readFailure(answer.body['error']);
  if (failure !== null && answer.status === 404) {
    throw new InvalidMessageError(
      'Media cannot be uploaded with this integration',
      'Ask Clickatell to enable media for it. Until then choose Send As: Inside the Message.',
    );
  }
  if (failure !== null) throwFailure(n8n, i, failure, answer.status);
  return { fileId: answer.body['fileId'], contentType: mimeType, fileName: fileName ?? null, byteSize: bytes.length };
};

const getStatus = async (n8n: IExecuteFunctions, i: number, plan: Task): Promise<Output[]> => {
  const apiMessageId = String(n8n.getNodeParameter('apiMessageId', i) ?? '').trim();
  if (apiMessageId === '') {
    throw new InvalidMessageError(
      'There is no message ID',
      'Set it to the apiMessageId that the send operation returned.',
    );
  }
  plan.about['apiMessageId'] = apiMessageId;
  const body = await read(n8n, i, { url: `/v1/message/${encodeURIComponent(apiMessageId)}` }, plan);
  const [channel, about] = Object.entries(body).find(([, value]) => isStatus(value)) ?? [null, {}];
  const { status, statusCode, timestamp } = about as IDataObject;
  const understood = classifyStatus({
    name: typeof status === 'string' ? status : null,
    code: typeof statusCode === 'number' ? statusCode : null,
  });
  return [
    {
      json: {
        apiMessageId,
        channel,
        status: understood.name,
        statusCode: understood.code,
        statusClass: understood.class,
        final: understood.final,
        timestamp: timestamp ?? null,
        raw: body,
      },
    },
  ];
};

const isStatus = (value: unknown): boolean => typeof value === 'object' && value !== null && 'status' in value;

const markAsRead = async (n8n: IExecuteFunctions, i: number, plan: Task): Promise<Output[]> => {
  const messageId = String(n8n.getNodeParameter('messageId', i) ?? '').trim();
  if (messageId === '')
    throw new InvalidMessageError('There is no message ID', 'Set it to the messageId of the event.');
  plan.about['messageId'] = messageId;
  const clientEventId = randomUUID();
  // 1001 is the status "read by the business". Source: guides.clickatell.com, "Send business read status notification".
  const update = { channel: 'whatsapp', statusCode: 1001, messageId, clientEventId };
  const answer = await withRetries(
    plan,
    async () =>
      await call(n8n, i, {
        method: 'POST',
        url: '/v1/notification',
        body: { event: { messageStatusUpdate: [update] } },
      }),
    (given) => isSafeToRetry(failureOf(given)),
  );
  const told = firstResult(answer.body);
  const failure = failureOf(answer) ?? readFailure(told['error']) ?? readFailure(answer.body['error']);
  if (failure !== null) throwFailure(n8n, i, failure, answer.status);
  return [
    {
      json: { accepted: told['accepted'] !== false, apiEventId: told['apiEventId'] ?? null, clientEventId, messageId },
    },
  ];
};

/** Finds the result: the first list of objects, or the body itself. Its name is not documented. */
const firstResult = (body: IDataObject): IDataObject => {
  const event = body['event'];
  const holders = typeof event === 'object' && event !== null ? [body, event as IDataObject] : [body];
  for (const holder of holders) {
    for (const value of Object.values(holder)) {
      const first: unknown = Array.isArray(value) ? value[0] : undefined;
      if (typeof first === 'object' && first !== null) return first as IDataObject;
    }
  }
  return body;
};

const downloadMedia = async (n8n: IExecuteFunctions, i: number): Promise<Output[]> => {
  const {
    contentType,
    fileName,
    maxMegabytes = 100,
  } = n8n.getNodeParameter('options', i, {}) as {
    contentType?: string;
    fileName?: string;
    maxMegabytes?: number;
  };
  const about = { contentType: contentType || null, fileName: fileName || null, sha256Hash: null };
  const sources = ((): MediaSource[] => {
    switch (n8n.getNodeParameter('downloadFrom', i)) {
      case 'link':
        return [{ ...about, link: String(n8n.getNodeParameter('downloadUrl', i) ?? '') }];
      case 'base64':
        return [{ ...about, base64: String(n8n.getNodeParameter('base64', i) ?? '') }];
      default:
        return mediaOf(eventOf(n8n, i)).map((source) => ({
          ...source,
          ...(contentType && { contentType }),
          ...(fileName && { fileName }),
        }));
    }
  })();
  const field = n8n.getNodeParameter('outputField', i) as string;
  const outputs: Output[] = [];
  for (const source of sources) {
    const { json, binary } = await download(n8n, i, source, maxMegabytes * 1_048_576);
    outputs.push({ json, binary: { [field]: binary } });
  }
  return outputs;
};

/** Every operation, by `resource.operation`. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'message.sendText': sendOne(async (n8n, i) => ({ content: readText(n8n.getNodeParameter('text', i)) })),
  'message.sendTemplate': sendOne(async (n8n, i) => template(n8n, i)),
  'message.sendMedia': sendOne(media),
  'message.sendLocation': sendOne(async (n8n, i) =>
    locationContent(
      n8n.getNodeParameter('latitude', i),
      n8n.getNodeParameter('longitude', i),
      n8n.getNodeParameter('locationName', i, ''),
      n8n.getNodeParameter('locationAddress', i, ''),
    ),
  ),
  'message.sendButtons': sendOne(async (n8n, i) =>
    buttonsContent(
      n8n.getNodeParameter('text', i),
      n8n.getNodeParameter('buttons.button', i, []) as unknown as Button[],
    ),
  ),
  'message.reply': reply,
  'message.sendRaw': sendRaw,
  'message.getStatus': getStatus,
  'message.markAsRead': markAsRead,
  'media.download': downloadMedia,
  'media.upload': async (n8n, i, plan) => {
    const uploaded = await upload(n8n, i, n8n.getNodeParameter('binaryPropertyName', i) as string, plan);
    return [{ json: uploaded }];
  },
  'account.getBalance': async (n8n, i, plan) => [{ json: await read(n8n, i, { url: '/v1/balance' }, plan) }],
};
