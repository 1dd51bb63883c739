import { createHash, randomUUID } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import type { Occasion } from './find-event.ts';

/** Executions that somebody started to see what happens. */
const TRIES: readonly string[] = ['manual', 'evaluation'];

/**
 * Whether nothing may be sent: the event is a test, or somebody runs a workflow by hand that events start. The person
 * whose event it is would get an answer that nobody meant to send.
 */
export const isHeld = (n8n: IExecuteFunctions, { event, hasTrigger }: Occasion): boolean =>
  event?.['test'] === true || (TRIES.includes(n8n.getMode()) && (hasTrigger || event !== undefined));

/**
 * Names each message by the event that caused it and the place that sends it, so that every try bears the same name.
 * A message that has a name of its own keeps it; without an event there is nothing to name it by but chance.
 */
export const nameMessages = (
  n8n: IExecuteFunctions,
  itemIndex: number,
  { event }: Occasion,
  messages: readonly IDataObject[],
): Named[] => {
  const eventId = event?.['eventId'];
  const { $runIndex: runIndex = 0 } = n8n.getWorkflowDataProxy(itemIndex);
  const place = [eventId, n8n.getWorkflow().id, n8n.getNode().id, itemIndex, runIndex];
  const onceKeyOf = (part: number) => (typeof eventId === 'string' ? hash([...place, part].join('\n')) : undefined);
  return messages.map((message, part) => {
    const onceKey = onceKeyOf(part);
    return { message: { ...message, clientMessageId: ownId(message) ?? onceKey ?? randomUUID() }, onceKey };
  });
};

/** A message, and the name under which it is sent once; undefined where no event says which repeat is one. */
export interface Named {
  readonly message: Message;
  readonly onceKey: string | undefined;
}

/** A message with the id that its statuses will bear. */
export type Message = IDataObject & { readonly clientMessageId: string };

const ownId = (message: IDataObject): string | undefined => {
  const own = String(message['clientMessageId'] ?? '').trim();
  return own === '' ? undefined : own;
};

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** What a message that was not sent looks like as an item. */
export const describeHeld = (message: Message): IDataObject => ({
  accepted: false,
  held: 'test event',
  apiMessageId: null,
  clientMessageId: message.clientMessageId,
  to: message['to'] ?? null,
  channel: message['channel'] ?? null,
  error: null,
  wouldSend: message,
});
