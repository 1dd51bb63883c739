import type { RelayError } from '../shared/call-relay.ts';
import { explainRelay } from '../shared/explain-relay.ts';

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
  if (error.status === 403) {
    return {
      message: `This API key may not lease from "${destinationId}"`,
      description: `${message}. Create one that may: clickrelay keys create n8n --scopes lease --destinations "${destinationId}" (or "n8n-*" for all triggers whose destination has no name of its own).`,
    };
  }
  if (error.status !== 409) return explainRelay(error, baseUrl);
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
};
