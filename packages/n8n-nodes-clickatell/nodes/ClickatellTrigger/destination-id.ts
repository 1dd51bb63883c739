import { type ITriggerFunctions, NodeOperationError } from 'n8n-workflow';

/** The pattern of a destination id in Clickrelay. */
const DESTINATION_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Returns the name from the options, or one made from n8n's instance, workflow and node, so that no two triggers share
 * events by accident: not even those of a second n8n that took over the workflows with their ids.
 */
export const destinationIdOf = (n8n: ITriggerFunctions, set: unknown): string => {
  const name = String(set ?? '').trim();
  if (name === '') return madeUpId(n8n);
  if (DESTINATION_ID.test(name)) return name;
  throw new NodeOperationError(n8n.getNode(), 'The destination cannot have this name', {
    description:
      'Use at most 63 lower-case letters, digits and dashes, and do not begin with a dash. Change it under Options, Destination.',
  });
};

const madeUpId = (n8n: ITriggerFunctions): string => {
  const instance = plain(n8n.getInstanceId()).slice(0, 8);
  const workflow = plain(String(n8n.getWorkflow().id ?? 'new')).slice(0, 36);
  return `n8n-${instance}-${workflow}-${plain(n8n.getNode().id).slice(0, 8)}`;
};

const plain = (id: string): string => id.toLowerCase().replace(/[^a-z0-9]/g, '');
