import { type Event, STATUS_TYPE, type StatusClass, wantsEvent } from '@clickrelay/core';
import type { IDataObject, INodeProperties } from 'n8n-workflow';

/** The events that start the workflow. Chosen before there is an execution, so that others cost nothing. */
export interface WantedEvents {
  /** Event types; `*` stands for any characters. */
  readonly events: readonly string[];
  /** Status classes; empty for all. Only restricts status updates. */
  readonly classes: readonly string[];
  /** Channels in lower case; empty for all. */
  readonly channels: readonly string[];
}

export const eventsProperty: INodeProperties = {
  displayName: 'Events',
  name: 'events',
  type: 'multiOptions',
  required: true,
  default: ['mo*'],
  description: 'Which events start the workflow. The names in brackets are those of Clickatell’s documentation.',
  options: [
    {
      name: 'Any Message (Mo*)',
      value: 'mo*',
      description: 'Everything that a person sends, including types that Clickatell adds later',
    },
    { name: 'Any Event (*)', value: '*', description: 'Messages, status updates, and whatever Clickatell adds later' },
    { name: 'Button Response (moButtonResponse)', value: 'moButtonResponse' },
    { name: 'Contacts (moContacts)', value: 'moContacts' },
    { name: 'List Picker Response (moListPickerResponse)', value: 'moListPickerResponse' },
    { name: 'Location (moLocation)', value: 'moLocation' },
    { name: 'Media (moMedia)', value: 'moMedia', description: 'Pictures, voice messages, videos, documents' },
    {
      name: 'Status Update (messageStatusUpdate)',
      value: STATUS_TYPE,
      description: 'A message that you sent was delivered, read or failed',
    },
    { name: 'Suggested Response (moSuggestedResponse)', value: 'moSuggestedResponse' },
    { name: 'Text (moText)', value: 'moText' },
  ],
};

export const statusClassesProperty: INodeProperties = {
  displayName: 'Statuses',
  name: 'statusClasses',
  type: 'multiOptions',
  default: ['delivered', 'failed', 'read'],
  description:
    'Which status updates start the workflow. One message has several: first pending, then delivered, then read. Choose none for all of them.',
  displayOptions: { show: { events: ['*', STATUS_TYPE] } },
  options: [
    { name: 'Delivered', value: 'delivered', description: 'The message is on the phone' },
    { name: 'Failed', value: 'failed', description: 'The message will not arrive' },
    { name: 'Pending', value: 'pending', description: 'The message is on its way' },
    { name: 'Read', value: 'read', description: 'The person has seen the message' },
    { name: 'Unknown', value: 'unknown', description: 'A status that no public table lists' },
  ],
};

export const channelsProperty: INodeProperties = {
  displayName: 'Channels',
  name: 'channels',
  type: 'multiOptions',
  default: [],
  description: 'Only events of these channels. Choose none for all.',
  options: [
    { name: 'SMS', value: 'sms' },
    { name: 'WhatsApp', value: 'whatsapp' },
  ],
};

export const readWantedEvents = (events: unknown, statusClasses: unknown, options: IDataObject): WantedEvents => ({
  events: textsOf(events),
  classes: textsOf(statusClasses),
  channels: textsOf(options['channels']),
});

/** Chooses events as Clickrelay does for a destination, for callbacks that come straight from Clickatell. */
export const isWanted = (event: Event, { events, classes, channels }: WantedEvents): boolean =>
  wantsEvent(
    {
      events,
      ...(channels.length > 0 && { channels }),
      ...(classes.length > 0 && { classes: classes as readonly StatusClass[] }),
    },
    event,
  );

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String).filter((text) => text !== '') : [];
