import { explainNoAnswer } from '../shared/explain-no-answer.ts';
import type { RelayError } from './relay.ts';

/** What a person may be told, and where the trouble is. */
interface Where {
  readonly destinationId: string;
  readonly baseUrl: string;
}

/** Tells the person who set up the trigger what a refusal means, and what to do. */
export const explain = (
  error: RelayError,
  { destinationId, baseUrl }: Where,
): { message: string; description: string } => {
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
      return {
        message: `This API key may not lease from "${destinationId}"`,
        description: `${message}. Create one that may: clickrelay keys create n8n --scopes lease --destinations "${destinationId}" (or "n8n-*" for all triggers whose destination has no name of its own).`,
      };
    case 404:
      return notClickrelay(message);
    case 409:
      if (error.code === 'destination_exists') {
        return {
          message: `The destination “${destinationId}” has other settings already`,
          description: `${message}. Triggers that share a destination share its events, so their settings must agree: give this one the same, or another name under Options, Destination. If nobody else uses it, change it with: clickrelay destinations update ${destinationId}`,
        };
      }
      return {
        message: `"${destinationId}" is a destination of another kind`,
        description: `${message}. Choose another name under Options, Destination.`,
      };
    default:
      return { message, description: 'Clickrelay refused a request of this trigger.' };
  }
};

const notClickrelay = (message: string) => ({
  message: 'Clickrelay’s API is not at the base URL of the credential',
  description: `${message}. The base URL is the address of Clickrelay's API (port 8081 unless changed), without a path: not that of the callbacks.`,
});
