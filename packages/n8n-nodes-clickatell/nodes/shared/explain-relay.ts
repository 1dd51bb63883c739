import type { RelayError } from './call-relay.ts';
import { explainNoAnswer } from './explain-no-answer.ts';

/** Tells a person what a refusal of Clickrelay means, and what to do. */
export const explainRelay = (error: RelayError, baseUrl: string): { message: string; description: string } => {
  const { message } = error;
  if (error.code === 'not_clickrelay') return notClickrelay(message);
  switch (error.status) {
    case undefined: {
      const { message: headline, description } = explainNoAnswer(error.code ?? message, baseUrl, 'Clickrelay');
      return { message: headline, description };
    }
    case 301:
    case 302:
    case 307:
    case 308:
      return {
        message: 'The base URL of the credential leads to another address',
        description: `${message}. The key is sent to no other address than this one: put the other one there, probably with https.`,
      };
    case 401:
      return {
        message: 'Clickrelay does not know this API key',
        description: 'Check the key in the Clickrelay credential; `clickrelay keys list` shows the keys that exist.',
      };
    case 403:
      return { message: 'This API key may not do that', description: message };
    case 404:
      return notClickrelay(message);
    default:
      return { message, description: 'Clickrelay refused a request of this node.' };
  }
};

const notClickrelay = (message: string) => ({
  message: 'Clickrelay’s API is not at the base URL of the credential',
  description: `${message}. The base URL is the address of Clickrelay's API (port 8081 unless changed), without a path: not that of the callbacks.`,
});
