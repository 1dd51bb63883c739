import type {
  IAuthenticate,
  ICredentialDataDecryptedObject,
  ICredentialTestRequest,
  ICredentialType,
  IHttpRequestOptions,
  INodeProperties,
} from 'n8n-workflow';
import { withKey } from './with-key.ts';

export class ClickatellApi implements ICredentialType {
  name = 'clickatellApi';

  displayName = 'Clickatell API';

  icon = { light: 'file:../icons/clickatell.svg', dark: 'file:../icons/clickatell.dark.svg' } as const;

  documentationUrl =
    'https://github.com/clickrelay/clickrelay/tree/main/packages/n8n-nodes-clickatell#clickatell-credential';

  properties: INodeProperties[] = [
    {
      displayName: 'API Key',
      name: 'apiKey',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      required: true,
      description: 'The key of your One API integration in Clickatell’s portal',
    },
    {
      displayName: 'Callback Secret',
      name: 'callbackSecret',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      description:
        'Only for the Clickatell Webhook Trigger. Make up a long random word, and end the callback URL that you paste into Clickatell’s portal with ?token= and this word.',
    },
    {
      displayName: 'Base URL',
      name: 'baseUrl',
      type: 'string',
      default: 'https://platform.clickatell.com',
      description: 'Change this only if Clickatell gave you another address. The API key is sent to this address only.',
    },
  ];

  // A function, not an expression: a trigger calls it long after n8n has closed the scope for expressions.
  authenticate: IAuthenticate = async (
    credentials: ICredentialDataDecryptedObject,
    request: IHttpRequestOptions,
  ): Promise<IHttpRequestOptions> => withKey(request, credentials, (key) => key);

  test: ICredentialTestRequest = {
    request: { baseURL: '={{$credentials.baseUrl}}', url: '/v1/balance' },
  };
}
