import { type Event, STATUS_TYPE } from '@clickrelay/core';
import type { IDataObject, INodeExecutionData, INodeProperties } from 'n8n-workflow';

/** How an event reached the workflow. */
export interface Circumstances {
  /**
   * The number of this run for the event, from 1. Always 1 for a direct callback: Clickatell does not number its
   * retries.
   */
  readonly attempt: number;
  /** Made by "Listen for test event", which neither leases nor acknowledges. */
  readonly test?: boolean;
  /** Omit the element, as Clickatell sent it, from the item. */
  readonly withoutRaw?: boolean;
}

export const withoutRawProperty: INodeProperties = {
  displayName: 'Leave Out Raw',
  name: 'withoutRaw',
  type: 'boolean',
  default: false,
  description:
    'Whether to omit the original event, as Clickatell sent it, from the item. It holds any media sent inside the callback.',
};

/**
 * Turns an event into the item that starts a workflow: one flat object, in which `{{ $json.text }}` is what the person
 * wrote or pressed, whatever the type. Media stay references, to be fetched with the Clickatell node.
 */
export const toItem = (
  event: Event,
  { attempt, test = false, withoutRaw = false }: Circumstances,
): INodeExecutionData => {
  const { type, data } = event;
  return {
    json: {
      eventId: event.id,
      type,
      text: textOf(type, data),
      channel: event.channel,
      from: event.from,
      to: event.to,
      ...fieldsOf(type, data as IDataObject),
      messageId: event.messageId,
      relatedMessageId: event.relatedMessageId,
      clientMessageId: event.clientMessageId,
      occurredAt: event.occurredAt,
      receivedAt: event.receivedAt,
      integrationId: event.integrationId,
      integrationName: event.integrationName,
      attempt,
      test,
      ...(event.valid === false && { valid: false, issues: [...(event.issues ?? [])] as unknown as IDataObject[] }),
      ...(!withoutRaw && { raw: event.raw as IDataObject }),
    },
  };
};

/** Whether a value is the item of a trigger. */
export const isEvent = (value: unknown): value is IDataObject => {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('from' in value)) return false;
  const { eventId } = value as { eventId?: unknown };
  return typeof eventId === 'string' && eventId.startsWith('evt_');
};

/** The words that the person wrote, captioned or pressed; null when there are none. */
const textOf = (type: string, data: Event['data']): string | null => {
  switch (type) {
    case 'moText':
    case 'moSuggestedResponse':
      return textOrNull(data['text']);
    case 'moMedia':
      return textOrNull(data['caption']);
    case 'moButtonResponse':
      return saidBy(data['selectedItem']);
    case 'moListPickerResponse': {
      const selected = Array.isArray(data['selectedItems']) ? data['selectedItems'] : [];
      const texts = selected.map(saidBy).filter((text) => text !== null);
      return texts.length === 0 ? null : texts.join(', ');
    }
    default:
      return null;
  }
};

/** Some channels send no content with a choice, only the postback data of the button. */
const saidBy = (selected: unknown): string | null => {
  if (typeof selected !== 'object' || selected === null) return null;
  const { content, postbackData } = selected as { content?: unknown; postbackData?: unknown };
  return textOrNull(content) ?? textOrNull(postbackData);
};

/** The typed data, with names that make sense outside `data`. */
const fieldsOf = (type: string, data: IDataObject): IDataObject => {
  switch (type) {
    case STATUS_TYPE: {
      const { code, name, class: statusClass, final, ...rest } = data;
      if (statusClass === undefined) return rest;
      return { status: name, statusCode: code, statusClass, final, ...rest };
    }
    case 'moLocation': {
      const { name, address, ...rest } = data;
      if (Object.keys(rest).length === 0) return {};
      return { locationName: name, locationAddress: address, ...rest };
    }
    case 'moButtonResponse': {
      const { selectedItem, postbackData, ...rest } = data;
      if (Object.keys(rest).length === 0) return {};
      const chosen = (selectedItem as IDataObject | null)?.['postbackData'];
      return { postbackData: chosen ?? postbackData, selectedItem, ...rest };
    }
    default: {
      const rest = { ...data };
      // The item has it already, near the top.
      delete rest['text'];
      return rest;
    }
  }
};

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
