import type { Json, NodeDefinition, WorkflowDefinition } from './n8n-client.ts';

/** Makes a workflow of nodes in a row. Names are unique; expressions and tests use them. */
export const workflowOf = (name: string, ...nodes: NodeDefinition[]): WorkflowDefinition => {
  const connections: Json = {};
  for (const [index, { name: from }] of nodes.slice(0, -1).entries()) {
    connections[from] = { main: [[{ node: nodes[index + 1]?.name, type: 'main', index: 0 }]] };
  }
  return { name, nodes: nodes.map((node, index) => ({ position: [index * 220, 0], ...node })), connections };
};

/** Starts a workflow for each event of a Clickrelay destination. */
export const clickrelayTrigger = (parameters: Json = {}): NodeDefinition => ({
  name: 'Clickatell Trigger',
  type: 'n8n-nodes-clickatell.clickatellTrigger',
  typeVersion: 1,
  parameters,
  credentials: { clickrelayApi: { id: '', name: '' } },
});

/** Starts a workflow for each event of a callback that Clickatell posts to n8n itself. */
export const webhookTrigger = (webhookId: string, parameters: Json): NodeDefinition => ({
  name: 'Clickatell Webhook Trigger',
  type: 'n8n-nodes-clickatell.clickatellWebhookTrigger',
  typeVersion: 1,
  webhookId,
  parameters,
  credentials: { clickatellApi: { id: '', name: '' } },
});

/** The action node. */
export const clickatell = (name: string, parameters: Json): NodeDefinition => ({
  name,
  type: 'n8n-nodes-clickatell.clickatell',
  typeVersion: 1,
  parameters,
  credentials: { clickatellApi: { id: '', name: '' }, clickrelayApi: { id: '', name: '' } },
});

/** POSTs the event id, the attempt and the text to a service, and outputs the answer. */
export const callService = (url: string): NodeDefinition => ({
  name: 'Call service',
  type: 'n8n-nodes-base.httpRequest',
  typeVersion: 4.2,
  parameters: {
    method: 'POST',
    url,
    sendBody: true,
    specifyBody: 'json',
    jsonBody: '={{ JSON.stringify({ eventId: $json.eventId, attempt: $json.attempt, text: $json.text }) }}',
    options: { timeout: 120_000 },
  },
});

/** Ends the workflow with this error, unless the item says `ok`. */
export const failUnlessOk = (message: string): NodeDefinition => ({
  name: 'Fail unless ok',
  type: 'n8n-nodes-base.code',
  typeVersion: 2,
  parameters: {
    jsCode: `if (!$input.first().json.ok) throw new Error(${JSON.stringify(message)});\nreturn $input.all();`,
  },
});
