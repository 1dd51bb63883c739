import { z } from 'zod';
import { channel, count, identifier, text, timestamp } from './fields.ts';

/**
 * An element of `messageStatusUpdate`. It has neither `from` nor `to`; `messageId` is the `apiMessageId` of the send
 * response. Source: help.clickatell.com, "One API Client Callbacks".
 */
export const messageStatusUpdate = z.looseObject({
  channel,
  timestamp,
  statusCode: count,
  status: text,
  messageId: identifier.describe('The `apiMessageId` of the send response.'),
  clientMessageId: identifier.describe('The id that you gave the message when sending it.'),
});
