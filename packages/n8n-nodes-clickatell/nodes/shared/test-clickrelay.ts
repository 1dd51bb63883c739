import { matchesEventType } from '@clickrelay/core';
import type { ICredentialsDecrypted, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import { ask, isAnswer, readTested, wrong } from './test-credential.ts';

const MAKE_A_KEY = 'clickrelay keys create n8n --scopes lease --destinations "n8n-*"';

/** Tests a Clickrelay credential: whether the key is there, and what it may do. */
export const testClickrelay = async (
  n8n: ICredentialTestFunctions,
  { data }: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> => {
  const tested = readTested(data);
  if (tested.apiKey === '') {
    return wrong({ message: 'There is no API key', description: `Make one with: ${MAKE_A_KEY}` });
  }
  const authorization = `Bearer ${tested.apiKey}`;
  const told = await ask(n8n, tested, { path: '/v1/whoami', authorization, what: 'Clickrelay' });
  if (!isAnswer(told)) return told;
  const { scopes, destinations } = (told.body ?? {}) as { scopes?: unknown; destinations?: unknown };
  if (told.statusCode === 401) {
    const description = `\`clickrelay keys list\` shows the keys that exist. Make one with: ${MAKE_A_KEY}`;
    return wrong({ message: 'Clickrelay does not know this API key', description });
  }
  if (told.statusCode >= 500 || told.statusCode === 429) {
    const description = 'Try again in a moment; `clickrelay doctor` says what is wrong.';
    return wrong({ message: `Clickrelay cannot answer now (HTTP ${told.statusCode})`, description });
  }
  if (told.statusCode !== 200 || !isTexts(scopes) || !isTexts(destinations)) {
    const description = `The base URL is the address of its API, port 8081 unless changed, without a path: not that of the callbacks. (HTTP ${told.statusCode})`;
    return wrong({ message: 'What answers at the base URL is not Clickrelay’s API', description });
  }
  return judge(scopes, destinations);
};

const judge = (scopes: readonly string[], destinations: readonly string[]): INodeCredentialTestResult => {
  const has = scopes.length === 0 ? 'none' : scopes.join(', ');
  if (!scopes.includes('lease')) {
    const description = `It has: ${has}. The scope lease starts workflows. Make a key with: ${MAKE_A_KEY}`;
    return wrong({ message: 'This API key may not start workflows', description });
  }
  const bound = destinations.length === 0 ? 'no destination' : destinations.join(', ');
  const opens = (name: string) => destinations.some((pattern) => matchesEventType(pattern, name));
  if (opens('n8n-0-0-0') || destinations.some((pattern) => pattern.startsWith('n8n-'))) {
    return { status: 'OK', message: `This API key may start workflows with the events of ${bound}` };
  }
  const description = `A trigger can use it only with one of these as its Destination, under Options. For any trigger, make a key with: ${MAKE_A_KEY}`;
  return wrong({ message: `This API key opens only ${bound}`, description });
};

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
