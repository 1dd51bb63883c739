import {
  type ICredentialsDecrypted,
  type ICredentialTestFunctions,
  type IDataObject,
  type IExecuteFunctions,
  type INodeExecutionData,
  type INodeType,
  type INodeTypeDescription,
  NodeApiError,
  NodeConnectionTypes,
  NodeOperationError,
} from 'n8n-workflow';
import { testClickrelay } from '../shared/test-clickrelay.ts';
import { InvalidMessageError } from './build-message.ts';
import { mediaFields } from './media-fields.ts';
import { messageFields } from './message-fields.ts';
import { OPERATIONS } from './operations.ts';
import { ALL_SENDING } from './shared-fields.ts';

export class Clickatell implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Clickatell',
    name: 'clickatell',
    icon: { light: 'file:../../icons/clickatell.svg', dark: 'file:../../icons/clickatell.dark.svg' },
    group: ['output'],
    version: 1,
    subtitle: '={{ $parameter["operation"] + ": " + $parameter["resource"] }}',
    description: 'Send WhatsApp and SMS messages, answer events, fetch media',
    defaults: { name: 'Clickatell' },
    usableAsTool: true,
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    credentials: [
      { name: 'clickatellApi', required: true },
      // Notes what was sent, for workflows that Clickrelay starts again.
      {
        name: 'clickrelayApi',
        required: false,
        testedBy: 'testClickrelay',
        displayOptions: { show: { resource: ['message'], operation: ALL_SENDING } },
      },
    ],
    properties: [
      {
        displayName: 'Resource',
        name: 'resource',
        type: 'options',
        noDataExpression: true,
        options: [
          { name: 'Account', value: 'account' },
          { name: 'Media', value: 'media' },
          { name: 'Message', value: 'message' },
        ],
        default: 'message',
      },
      {
        displayName: 'Operation',
        name: 'operation',
        type: 'options',
        noDataExpression: true,
        displayOptions: { show: { resource: ['message'] } },
        options: [
          {
            name: 'Get Status',
            value: 'getStatus',
            action: 'Get the status of a message',
            description: 'Get the current status of a message that you sent',
          },
          {
            name: 'Mark as Read',
            value: 'markAsRead',
            action: 'Mark a message as read',
            description: 'Show the person that their WhatsApp message was seen',
          },
          {
            name: 'Reply to Event',
            value: 'reply',
            action: 'Reply to an event',
            description: 'Answer the person whose event started the workflow, on the same channel',
          },
          { name: 'Send Location', value: 'sendLocation', action: 'Send a location' },
          {
            name: 'Send Media',
            value: 'sendMedia',
            action: 'Send media',
            description: 'Send a picture, video, audio or document',
          },
          {
            name: 'Send Raw JSON',
            value: 'sendRaw',
            action: 'Send messages as raw JSON',
            description: 'Send one or more messages that the other operations do not offer',
          },
          {
            name: 'Send Reply Buttons',
            value: 'sendButtons',
            action: 'Send reply buttons',
            description: 'Send a text with up to three buttons',
          },
          {
            name: 'Send Template',
            value: 'sendTemplate',
            action: 'Send a template',
            description: 'Send an approved WhatsApp template, even outside the 24-hour window',
          },
          { name: 'Send Text', value: 'sendText', action: 'Send a text message' },
        ],
        default: 'reply',
      },
      {
        displayName: 'Operation',
        name: 'operation',
        type: 'options',
        noDataExpression: true,
        displayOptions: { show: { resource: ['media'] } },
        options: [
          {
            name: 'Download',
            value: 'download',
            action: 'Download media',
            description: 'Fetch the files of an event as binary data',
          },
          {
            name: 'Upload',
            value: 'upload',
            action: 'Upload media',
            description: 'Upload a file, to send it by its file ID later',
          },
        ],
        default: 'download',
      },
      {
        displayName: 'Operation',
        name: 'operation',
        type: 'options',
        noDataExpression: true,
        displayOptions: { show: { resource: ['account'] } },
        options: [{ name: 'Get Balance', value: 'getBalance', action: 'Get the balance of the account' }],
        default: 'getBalance',
      },
      ...messageFields,
      ...mediaFields,
    ],
  };

  methods = {
    credentialTest: {
      async testClickrelay(this: ICredentialTestFunctions, credential: ICredentialsDecrypted) {
        return await testClickrelay(this, credential);
      },
    },
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const items = this.getInputData();
    const outputs: INodeExecutionData[] = [];
    const signal = this.getExecutionCancelSignal();
    // Five tries when the rate limit is reached, with pauses of 1, 2, 4 and 8 seconds.
    const plan = { tries: 5, firstPauseMs: 1000, ...(signal !== undefined && { signal }) };

    for (let itemIndex = 0; itemIndex < items.length; itemIndex++) {
      const about: IDataObject = {};
      try {
        const resource = this.getNodeParameter('resource', itemIndex) as string;
        const name = this.getNodeParameter('operation', itemIndex) as string;
        const operation = OPERATIONS[`${resource}.${name}`];
        if (operation === undefined) {
          throw new NodeOperationError(this.getNode(), `There is no operation "${name}" of ${resource}`, { itemIndex });
        }
        for (const { json, binary } of await operation(this, itemIndex, { ...plan, about })) {
          outputs.push({ json, ...(binary !== undefined && { binary }), pairedItem: { item: itemIndex } });
        }
      } catch (error) {
        const failure = asNodeError(this, error, itemIndex);
        if (!this.continueOnFail()) throw failure;
        outputs.push({ json: errorItem(failure, about), pairedItem: { item: itemIndex } });
      }
    }
    return [outputs];
  }
}

/**
 * n8n takes an item for an error when it has exactly `error` and `message`, puts it on the error output, and adds the
 * fields of the input. With n8n's own `item.error` it would drop all that we say.
 */
const errorItem = (failure: NodeOperationError | NodeApiError, about: IDataObject): IDataObject => {
  const { message, description, context } = failure;
  const code = (context['clickatellCode'] ?? null) as number | null;
  return { error: { code, message, description: description ?? null, ...about }, message };
};

const asNodeError = (n8n: IExecuteFunctions, error: unknown, itemIndex: number): NodeOperationError | NodeApiError => {
  if (error instanceof NodeApiError || error instanceof NodeOperationError) return error;
  if (error instanceof InvalidMessageError) {
    return new NodeOperationError(n8n.getNode(), error.message, { itemIndex, description: error.description });
  }
  return new NodeOperationError(n8n.getNode(), error as Error, { itemIndex });
};
