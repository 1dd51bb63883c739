import type { INodeProperties } from 'n8n-workflow';

/** Shows a field for some operations of a resource. */
export const shownFor = (operation: string[], resource = 'message'): INodeProperties['displayOptions'] => ({
  show: { resource: [resource], operation },
});

/** The field that takes the item of a trigger. */
export const eventField = (operation: string[], resource: string): INodeProperties => ({
  displayName: 'Event',
  name: 'event',
  type: 'json',
  default: '={{ $json }}',
  required: true,
  displayOptions: shownFor(operation, resource),
  description:
    "The item of the trigger. When there are other nodes in between: {{ $('Clickatell Trigger').item.json }}.",
});
