import { type InvalidCallbackError, splitCallback } from '@clickrelay/core';
import {
  type IDataObject,
  type IHookFunctions,
  type INodeType,
  type INodeTypeDescription,
  type IWebhookFunctions,
  type IWebhookResponseData,
  NodeConnectionTypes,
  NodeOperationError,
} from 'n8n-workflow';
import { toItem, withoutRawProperty } from '../shared/item.ts';
import {
  channelsProperty,
  eventsProperty,
  isWanted,
  readWantedEvents,
  statusClassesProperty,
} from '../shared/wanted-events.ts';
import { carriesSecret } from './carries-secret.ts';

export class ClickatellWebhookTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Clickatell Webhook Trigger',
    name: 'clickatellWebhookTrigger',
    icon: { light: 'file:../../icons/clickatell.svg', dark: 'file:../../icons/clickatell.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: '={{ ($parameter["events"] || []).join(", ") }}',
    description: 'Starts the workflow for WhatsApp and SMS events that Clickatell posts straight to n8n',
    eventTriggerDescription: 'Send a message to your Clickatell number, with the test URL set in Clickatell’s portal',
    activationMessage:
      'Paste the production URL, ending with ?token= and your callback secret, into Clickatell’s portal.',
    defaults: { name: 'Clickatell Webhook Trigger' },
    inputs: [],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'clickatellApi', required: true }],
    webhooks: [
      // Portals probe a URL when it is saved.
      { name: 'setup', httpMethod: 'GET', responseMode: 'onReceived', path: 'callback', ndvHideUrl: true },
      // Without `responseData`, n8n answers with the name of its default instead of our `webhookResponse`.
      { name: 'default', httpMethod: 'POST', responseMode: 'onReceived', responseData: '', path: 'callback' },
    ],
    properties: [
      {
        displayName:
          'Clickatell’s callback URLs are this webhook’s URL with <code>?token=</code> and the callback secret of your credential at the end. Use it for both replies and statuses. While n8n is down, callbacks are lost once Clickatell stops retrying; the Clickatell Trigger, with Clickrelay, keeps them.',
        name: 'notice',
        type: 'notice',
        default: '',
      },
      eventsProperty,
      statusClassesProperty,
      {
        displayName: 'Options',
        name: 'options',
        type: 'collection',
        placeholder: 'Add option',
        default: {},
        options: [channelsProperty, withoutRawProperty],
      },
    ],
  };

  // Clickatell has no API for callback URLs: a person pastes them into its portal. We can only check the secret.
  webhookMethods = {
    setup: {
      async checkExists(this: IHookFunctions): Promise<boolean> {
        return false;
      },
      async create(this: IHookFunctions): Promise<boolean> {
        return true;
      },
      async delete(this: IHookFunctions): Promise<boolean> {
        return true;
      },
    },
    default: {
      async checkExists(this: IHookFunctions): Promise<boolean> {
        return false;
      },
      async create(this: IHookFunctions): Promise<boolean> {
        const { callbackSecret } = await this.getCredentials<{ callbackSecret?: string }>('clickatellApi');
        if (String(callbackSecret ?? '').trim() !== '') return true;
        throw new NodeOperationError(this.getNode(), 'The credential has no callback secret', {
          description:
            'Without one, anybody who learns the URL could start this workflow. Make up a long random word, set it as Callback Secret of the Clickatell credential, and end the callback URL in Clickatell’s portal with ?token= and this word.',
        });
      },
      async delete(this: IHookFunctions): Promise<boolean> {
        return true;
      },
    },
  };

  async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
    const { callbackSecret } = await this.getCredentials<{ callbackSecret?: string }>('clickatellApi');
    if (!carriesSecret(this.getQueryData(), this.getHeaderData(), String(callbackSecret ?? '').trim())) {
      return answer(this, 401, {
        error: {
          code: 'wrong_credential',
          message: 'the callback URL must end with ?token= and the callback secret',
        },
      });
    }
    if (this.getWebhookName() === 'setup') return answer(this, 200, { accepted: 0 });

    const text = await bodyOf(this);
    // A portal is probing the URL.
    if (text.trim() === '') return answer(this, 200, { accepted: 0 });
    const options = this.getNodeParameter('options', {}) as IDataObject;
    const wanted = readWantedEvents(
      this.getNodeParameter('events', ['mo*']),
      this.getNodeParameter('statusClasses', []),
      options,
    );
    let events: ReturnType<typeof splitCallback>;
    try {
      events = splitCallback(text, new Date().toISOString());
    } catch (error) {
      const { code, message } = error as InvalidCallbackError;
      if (code === undefined) throw new NodeOperationError(this.getNode(), error as Error);
      return answer(this, 422, { error: { code, message } });
    }
    const items = events
      .filter(({ event }) => isWanted(event, wanted))
      .map(({ event }) =>
        toItem(event, { attempt: 1, test: this.getMode() === 'manual', withoutRaw: options['withoutRaw'] === true }),
      );
    if (items.length === 0) return answer(this, 200, { accepted: 0 });
    return { webhookResponse: { accepted: items.length }, workflowData: [items] };
  }
}

/** Answers without starting the workflow. */
const answer = (n8n: IWebhookFunctions, status: number, body: IDataObject): IWebhookResponseData => {
  n8n.getResponseObject().status(status).json(body);
  return { noWebhookResponse: true };
};

/**
 * The raw body, because parsing loses digits of large integers; n8n's parsed body, written again, where it kept no
 * other.
 */
const bodyOf = async (n8n: IWebhookFunctions): Promise<string> => {
  const request = n8n.getRequestObject();
  if (request.rawBody === undefined && typeof request.readRawBody === 'function') await request.readRawBody();
  const { rawBody } = request;
  if (rawBody !== undefined)
    return Buffer.from(rawBody)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
  const body = n8n.getBodyData();
  return Object.keys(body).length === 0 ? '' : JSON.stringify(body);
};
