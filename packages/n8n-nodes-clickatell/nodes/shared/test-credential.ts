import type { ICredentialDataDecryptedObject, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import { codeOf, explainNoAnswer } from './explain-no-answer.ts';

const TIMEOUT_MS = 10_000;

/** The credential as a test gets it. */
export interface Tested {
  readonly baseUrl: string;
  readonly apiKey: string;
}

export const readTested = (data: ICredentialDataDecryptedObject = {}): Tested => ({
  baseUrl: String(data['baseUrl'] ?? '')
    .trim()
    .replace(/\/+$/, ''),
  apiKey: String(data['apiKey'] ?? '').trim(),
});

interface Answer {
  readonly statusCode: number;
  readonly body: unknown;
}

/** Asks a question that changes nothing; a sentence where no answer came. */
export const ask = async (
  n8n: ICredentialTestFunctions,
  { baseUrl }: Tested,
  { path, authorization, what }: { readonly path: string; readonly authorization: string; readonly what: string },
): Promise<Answer | INodeCredentialTestResult> => {
  const early = explainNoAnswer('', baseUrl, what);
  if (early.isHopeless) return wrong(early);
  const request = {
    method: 'GET',
    uri: `${baseUrl}${path}`,
    headers: { authorization },
    json: true,
    simple: false,
    resolveWithFullResponse: true,
    followRedirect: false,
    timeout: TIMEOUT_MS,
  };
  return await n8n.helpers.request(request).catch((error: unknown) => {
    const { statusCode } = (error ?? {}) as { statusCode?: unknown };
    // n8n throws some statuses whatever it is asked.
    if (typeof statusCode === 'number') return { statusCode, body: (error as { error?: unknown }).error };
    return wrong(explainNoAnswer(codeOf(error), baseUrl, what));
  });
};

export const isAnswer = (told: Answer | INodeCredentialTestResult): told is Answer => 'statusCode' in told;

/** n8n shows one text only. */
export const wrong = ({ message, description }: { readonly message: string; readonly description: string }) =>
  ({ status: 'Error', message: `${message}. ${description}` }) as const;
