import type {
  IAuthenticate,
  ICredentialDataDecryptedObject,
  ICredentialType,
  IHttpRequestOptions,
  INodeProperties,
} from 'n8n-workflow';
import { withKey } from './with-key.ts';

export class ClickrelayApi implements ICredentialType {
  name = 'clickrelayApi';

  displayName = 'Clickrelay API';

  icon = { light: 'file:../icons/clickrelay.svg', dark: 'file:../icons/clickrelay.dark.svg' } as const;

  documentationUrl =
    'https://github.com/clickrelay/clickrelay/tree/main/packages/n8n-nodes-clickatell#clickrelay-credential';

  properties: INodeProperties[] = [
    {
      displayName: 'Base URL',
      name: 'baseUrl',
      type: 'string',
      default: '',
      required: true,
      placeholder: 'e.g. https://clickrelay.example.com',
      description: 'Address of Clickrelay’s API (API_PORT, 8081 unless you changed it), as n8n reaches it',
    },
    {
      displayName: 'API Key',
      name: 'apiKey',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      required: true,
      description: 'Create one with: clickrelay keys create n8n --scopes lease --destinations "n8n-*"',
    },
  ];

  // A function, not an expression: a trigger calls it long after n8n has closed the scope for expressions.
  authenticate: IAuthenticate = async (
    credentials: ICredentialDataDecryptedObject,
    request: IHttpRequestOptions,
  ): Promise<IHttpRequestOptions> => withKey(request, credentials, (key) => `Bearer ${key}`);
}
