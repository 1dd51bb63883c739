import type { INodeProperties } from 'n8n-workflow';
import { eventField, shownFor } from './shared-fields.ts';

/** Fields of the operations on media. */
export const mediaFields: INodeProperties[] = [
  {
    displayName: 'Download',
    name: 'downloadFrom',
    type: 'options',
    options: [
      { name: 'Base64', value: 'base64', description: 'A file that is in the data as text' },
      { name: 'Files of an Event', value: 'event', description: 'Everything that came with a moMedia event' },
      { name: 'Link', value: 'link', description: 'One file by its download URL' },
    ],
    default: 'event',
    displayOptions: shownFor(['download'], 'media'),
  },
  {
    ...eventField(['download'], 'media'),
    displayOptions: { show: { resource: ['media'], operation: ['download'], downloadFrom: ['event'] } },
  },
  {
    displayName: 'Download URL',
    name: 'downloadUrl',
    type: 'string',
    default: '={{ $json.files[0].downloadUrl }}',
    required: true,
    displayOptions: { show: { resource: ['media'], operation: ['download'], downloadFrom: ['link'] } },
    description: 'A link to Clickatell’s media; other addresses are refused, because the API key is sent along',
  },
  {
    displayName: 'Content',
    name: 'base64',
    type: 'string',
    default: '={{ $json.raw.content }}',
    required: true,
    displayOptions: { show: { resource: ['media'], operation: ['download'], downloadFrom: ['base64'] } },
  },
  {
    displayName: 'Put Output File in Field',
    name: 'outputField',
    type: 'string',
    default: 'data',
    required: true,
    hint: 'The name of the output binary field to put the file in',
    displayOptions: shownFor(['download'], 'media'),
  },
  {
    displayName: 'Input Binary Field',
    name: 'binaryPropertyName',
    type: 'string',
    default: 'data',
    required: true,
    hint: 'The name of the input field containing the file',
    displayOptions: shownFor(['upload'], 'media'),
  },
  {
    displayName: 'Options',
    name: 'options',
    type: 'collection',
    placeholder: 'Add option',
    default: {},
    displayOptions: shownFor(['download'], 'media'),
    options: [
      {
        displayName: 'Content Type',
        name: 'contentType',
        type: 'string',
        default: '',
        placeholder: 'image/jpeg',
        description: 'The type of the file. Leave empty to use what the event or Clickatell says.',
      },
      {
        displayName: 'File Name',
        name: 'fileName',
        type: 'string',
        default: '',
        description: 'Leave empty to use what the event says',
      },
      {
        displayName: 'Largest File (MB)',
        name: 'maxMegabytes',
        type: 'number',
        typeOptions: { minValue: 1 },
        default: 100,
        description: 'Downloading stops with an error when a file is larger',
      },
    ],
  },
];
