import { randomUUID } from 'node:crypto';
import { classifyStatus } from '@clickrelay/core';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { call, failureOf, type RetryPlan, read, throwFailure, withRetries } from './api.ts';
import {
  type Button,
  buttonsContent,
  hsmContent,
  InvalidMessageError,
  locationContent,
  type MessageOptions,
  messageTo,
  readRawMessages,
  readText,
  replyTo,
  templateContent,
} from './build-message.ts';
import { download, type MediaSource, mediaOf } from './download.ts';
import { isSafeToRetry, readFailure } from './errors.ts';
import { describeResult, sendMessages } from './send.ts';

/** The output of an operation for one item; the node adds which item it came from. */
type Output = Pick<INodeExecutionData, 'json' | 'binary'>;

/** Runs an operation for one item. */
type Operation = (n8n: IExecuteFunctions, itemIndex: number, plan: RetryPlan) => Promise<Output[]>;

const sendOne = (
  content: (n8n: IExecuteFunctions, itemIndex: number, plan: RetryPlan) => Promise<IDataObject>,
): Operation => {
  return async (n8n, i, plan) => {
    const options = n8n.getNodeParameter('options', i, {}) as MessageOptions;
    const channel = n8n.getNodeParameter('channel', i) as string;
    // Built before a file is uploaded, so that a missing recipient costs no upload.
    const message = messageTo(channel, n8n.getNodeParameter('to', i), {}, options);
    return await send(n8n, i, { ...message, ...(await content(n8n, i, plan)) }, plan);
  };
};

/** Sends one message; a refusal is an error of this item. */
const send = async (n8n: IExecuteFunctions, i: number, message: IDataObject, plan: RetryPlan): Promise<Output[]> => {
  const [result] = await sendMessages(n8n, i, [message], plan);
  if (result === undefined) return [];
  if (result.failure !== null) throwFailure(n8n, i, result.failure);
  return [{ json: describeResult(result) }];
};

/**
 * Sends several messages. Each has its own result, because repeating all for one refusal would send the others twice.
 */
const sendRaw = async (n8n: IExecuteFunctions, i: number, plan: RetryPlan): Promise<Output[]> => {
  const messages = readRawMessages(n8n.getNodeParameter('rawMessages', i));
  const results = await sendMessages(n8n, i, messages, plan);
  const [first] = results;
  if (first?.failure && results.every(({ accepted }) => !accepted)) throwFailure(n8n, i, first.failure);
  return results.map((result) => ({ json: describeResult(result) }));
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

const media = async (n8n: IExecuteFunctions, i: number, plan: RetryPlan): Promise<IDataObject> => {
  const caption = n8n.getNodeParameter('caption', i, '') as string;
  const withCaption = caption === '' ? {} : { caption };
  if (n8n.getNodeParameter('mediaSource', i) === 'fileId') {
    const fileId = n8n.getNodeParameter('fileId', i) as string;
    return { media: { fileId, contentType: n8n.getNodeParameter('contentType', i) as string, ...withCaption } };
  }
  const field = n8n.getNodeParameter('binaryPropertyName', i) as string;
  if (n8n.getNodeParameter('mediaTransport', i) === 'inline') {
    const { mimeType } = n8n.helpers.assertBinaryData(i, field);
    const bytes = await n8n.helpers.getBinaryDataBuffer(i, field);
    return { content: bytes.toString('base64'), contentType: mimeType, ...withCaption };
  }
  const { fileId, contentType } = await upload(n8n, i, field, plan);
  return { media: { fileId, contentType, ...withCaption } };
};

const upload = async (n8n: IExecuteFunctions, i: number, field: string, plan: RetryPlan): Promise<IDataObject> => {
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

const getStatus = async (n8n: IExecuteFunctions, i: number, plan: RetryPlan): Promise<Output[]> => {
  const apiMessageId = String(n8n.getNodeParameter('apiMessageId', i) ?? '').trim();
  if (apiMessageId === '') {
    throw new InvalidMessageError(
      'There is no message ID',
      'Set it to the apiMessageId that the send operation returned.',
    );
  }
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

const markAsRead = async (n8n: IExecuteFunctions, i: number, plan: RetryPlan): Promise<Output[]> => {
  const messageId = String(n8n.getNodeParameter('messageId', i) ?? '').trim();
  if (messageId === '')
    throw new InvalidMessageError('There is no message ID', 'Set it to the messageId of the event.');
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
        return mediaOf(n8n.getNodeParameter('event', i)).map((source) => ({
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
  'message.reply': async (n8n, i, plan) => {
    const { quote, ...options } = n8n.getNodeParameter('options', i, {}) as MessageOptions & { quote?: boolean };
    const text = n8n.getNodeParameter('text', i) as string;
    return await send(
      n8n,
      i,
      replyTo(n8n.getNodeParameter('event', i), text, { quote: quote === true }, options),
      plan,
    );
  },
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
