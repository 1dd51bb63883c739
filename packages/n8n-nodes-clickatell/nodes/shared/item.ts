import type { Event } from '@clickrelay/core';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

/** Where an event came from, beside what it says. */
export interface Circumstances {
  /** Which try at this event this run is, from 1. A direct callback is always 1: Clickatell does not number its retries. */
  readonly attempt: number;
  /** Made by "Listen for test event": nothing was taken, and nothing will be acknowledged. */
  readonly test?: boolean;
  /** Leave the element as Clickatell sent it out of the item. */
  readonly withoutRaw?: boolean;
}

/**
 * An event as the item a workflow starts with: one flat object, so that `{{ $json.text }}` is what the person said or
 * pressed, whatever they used for it. Media stay references: fetch them with the Clickatell node.
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

/** What the person wrote, captioned or pressed; null for what has no words. */
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

/** Some channels send no content with a choice, only what the sender of the buttons attached to it. */
const saidBy = (selected: unknown): string | null => {
  if (typeof selected !== 'object' || selected === null) return null;
  const { content, postbackData } = selected as { content?: unknown; postbackData?: unknown };
  return textOrNull(content) ?? textOrNull(postbackData);
};

/** The typed data beside each other, under names that say what they are outside of `data`. */
const fieldsOf = (type: string, data: IDataObject): IDataObject => {
  switch (type) {
    case 'messageStatusUpdate': {
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
      // It stands first in the item.
      delete rest['text'];
      return rest;
    }
  }
};

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
