import type { INodeProperties } from 'n8n-workflow';

/** Shows a field for some operations of a resource. */
export const shownFor = (operation: string[], resource = 'message'): INodeProperties['displayOptions'] => ({
  show: { resource: [resource], operation },
});

// Apart from its field, because n8n's linter would write `json` in capitals.
const EVENT_DESCRIPTION =
  "The item of the trigger. If there are other nodes in between, use {{ $('Clickatell Trigger').item.json }}.";

/** The field that takes the item of a trigger. */
export const eventField = (operation: string[], resource: string): INodeProperties => ({
  displayName: 'Event',
  name: 'event',
  type: 'json',
  default: '={{ $json }}',
  required: true,
  displayOptions: shownFor(operation, resource),
  description: EVENT_DESCRIPTION,
});
