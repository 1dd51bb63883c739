import type { INodeProperties } from 'n8n-workflow';

/** The operations that send a message to a number. */
export const SENDING = ['sendText', 'sendTemplate', 'sendMedia', 'sendLocation', 'sendButtons'];

/** Every operation that sends messages. */
export const ALL_SENDING = [...SENDING, 'reply', 'sendRaw'];

/** Shows a field for some operations of a resource. */
export const shownFor = (operation: string[], resource = 'message'): INodeProperties['displayOptions'] => ({
  show: { resource: [resource], operation },
});

// Apart from its field, because n8n's linter would write `json` in capitals.
const EVENT = {
  placeholder: "e.g. {{ $('Clickatell Trigger').item.json }}",
  description:
    'Leave empty for the event that started the workflow; it is found behind any node. Set it where the workflow was started by something else.',
};

/** The field that takes another event than the one that started the workflow. */
export const eventField = (operation: string[], resource: string): INodeProperties => ({
  displayName: 'Event',
  name: 'event',
  type: 'json',
  default: '',
  displayOptions: shownFor(operation, resource),
  ...EVENT,
});

/** The same as an option. */
export const eventOption = (operation: string[]): INodeProperties => ({
  displayName: 'Event',
  name: 'event',
  type: 'json',
  default: '',
  displayOptions: { show: { '/operation': operation } },
  ...EVENT,
});
