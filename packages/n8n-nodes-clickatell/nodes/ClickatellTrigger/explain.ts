import type { RelayError } from './relay.ts';

/** What a refusal means to the person who set the trigger up, and what to do. */
export const explain = (error: RelayError, destinationId: string): { message: string; description: string } => {
  const { message } = error;
  switch (error.status) {
    case 401:
      return {
        message: 'Clickrelay does not know this API key',
        description: 'Check the key in the Clickrelay credential; `clickrelay keys list` shows which keys there are.',
      };
    case 403:
      return {
        message: `This API key may not lease from "${destinationId}"`,
        description: `${message}. Make one that may: clickrelay keys create n8n --scopes lease --destinations "${destinationId}" (or "n8n-*" for all triggers whose destination has no name of its own).`,
      };
    case 404:
      return {
        message: 'Clickrelay’s API is not at the base URL of the credential',
        description: `${message}. The base URL is the address of Clickrelay's API (port 8081 unless changed), without a path, and its version must know pull destinations.`,
      };
    case 409:
      return {
        message: `"${destinationId}" is a destination of another kind`,
        description: `${message}. Choose another name under Options, Destination.`,
      };
    default:
      return { message, description: 'Clickrelay refused what this trigger asked for.' };
  }
};
