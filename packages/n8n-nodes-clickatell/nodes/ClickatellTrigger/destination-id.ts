import { type ITriggerFunctions, NodeOperationError } from 'n8n-workflow';

/** The pattern of a destination id in Clickrelay. */
const DESTINATION_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Returns the name from the options, or one made from workflow and node, so that no two triggers share events by
 * accident.
 */
export const destinationIdOf = (n8n: ITriggerFunctions, set: unknown): string => {
  const name = String(set ?? '').trim();
  if (name === '') return madeUpId(String(n8n.getWorkflow().id ?? 'new'), n8n.getNode().id);
  if (DESTINATION_ID.test(name)) return name;
  throw new NodeOperationError(n8n.getNode(), 'The destination cannot have this name', {
    description:
      'Use at most 63 lower-case letters, digits and dashes, and do not begin with a dash. Change it under Options, Destination.',
  });
};

const madeUpId = (workflowId: string, nodeId: string): string =>
  `n8n-${plain(workflowId).slice(0, 40)}-${plain(nodeId).slice(0, 8)}`.replace(/-+$/, '');

const plain = (id: string): string => id.toLowerCase().replace(/[^a-z0-9]/g, '');
