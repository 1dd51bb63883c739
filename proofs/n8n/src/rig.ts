import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Destination, startDestination, waitUntil } from '@clickrelay/testkit';
import { type N8n, startN8n } from './n8n.ts';
import type { Credential, Execution, Workflow, WorkflowDefinition } from './n8n-client.ts';
import { FOLDER_VARIABLE } from './pids.ts';
import { type PretendClickatell, startPretendClickatell } from './pretend-clickatell.ts';
import { type Relay, startRelay } from './relay.ts';

/** Everything that takes part: a real n8n with our package, a real Clickrelay, and a simulated rest of the world. */
export interface Rig {
  readonly n8n: N8n;
  readonly relay: Relay;
  readonly clickatell: PretendClickatell;
  /** A service that workflows call; it answers as the test says. */
  readonly service: Destination;
  readonly credentials: { clickrelayApi: Credential; clickatellApi: Credential };
  /** The credentials, as a person types them in. */
  readonly secrets: { clickrelayApi: Record<string, unknown>; clickatellApi: Record<string, unknown> };
  /** Creates a workflow with our credentials in its nodes, and by default activates it. */
  addWorkflow(definition: WorkflowDefinition, options?: { active?: boolean }): Promise<Workflow>;
  /** The ended executions of a workflow, oldest first, once there are `count` of them. */
  ended(workflow: Workflow, count: number, options?: { timeoutMs?: number; everyMs?: number }): Promise<Execution[]>;
  stop(): Promise<void>;
}

export interface RigOptions {
  /** The packed n8n package. */
  tarball: string;
  relayEnv?: Record<string, string>;
  n8nEnv?: Record<string, string>;
}

export const startRig = async ({ tarball, relayEnv = {}, n8nEnv = {} }: RigOptions): Promise<Rig> => {
  const folder = await mkdtemp(join(process.env[FOLDER_VARIABLE] ?? tmpdir(), 'clickrelay-n8n-rig-'));
  const closing: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, maxRetries: 5, retryDelay: 200 })];
  const stop = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const close of closing.splice(0).reverse()) await close().catch((error) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be stopped');
  };

  try {
    const clickatell = await startPretendClickatell();
    closing.push(clickatell.close);
    const service = await startDestination();
    closing.push(service.close);
    const relay = await startRelay(folder, { RETRY_SCHEDULE: '0s,1s,2s', ...relayEnv });
    closing.push(relay.stop);
    const n8n = await startN8n({ folder: join(folder, 'n8n'), tarball, env: n8nEnv });
    closing.push(n8n.stop);
    const { client } = n8n;

    // As an operator would create it: it may lease from destinations with these names, and nothing else.
    const { key } = await relay.cli<{ key: string }>(
      'keys',
      'create',
      'n8n',
      '--scopes',
      'lease',
      '--destinations',
      'n8n-*',
    );
    const secrets = {
      clickrelayApi: { baseUrl: relay.apiUrl, apiKey: key },
      clickatellApi: { apiKey: clickatell.apiKey, baseUrl: clickatell.url, callbackSecret: 'a-long-random-word' },
    };
    const credentials = {
      clickrelayApi: await client.createCredential('Clickrelay', 'clickrelayApi', secrets.clickrelayApi),
      clickatellApi: await client.createCredential('Clickatell', 'clickatellApi', secrets.clickatellApi),
    };

    return {
      n8n,
      relay,
      clickatell,
      service,
      credentials,
      secrets,
      addWorkflow: async (definition, { active = true } = {}) => {
        const nodes = definition.nodes.map((node) => ({
          ...node,
          ...(node.credentials === undefined ? {} : { credentials: bind(node.credentials, credentials) }),
        }));
        const workflow = await client.createWorkflow({ ...definition, nodes });
        if (active) await client.activate(workflow);
        return workflow;
      },
      ended: async (workflow, count, { timeoutMs = 30_000, everyMs = 250 } = {}) => {
        const summaries = await waitUntil(
          async () => {
            const ended = (await client.executions(workflow)).filter(({ status }) => !UNDER_WAY.has(status));
            return ended.length >= count ? ended : undefined;
          },
          { timeoutMs, everyMs, what: `${count} ended executions of ${workflow.name}` },
        );
        return Promise.all(summaries.reverse().map(({ id }) => client.execution(id)));
      },
      stop,
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
};

const UNDER_WAY = new Set(['new', 'running', 'waiting', 'unknown']);

/** Replaces the credentials that an exported workflow names, as a person does after importing it. */
const bind = (
  wanted: Record<string, unknown>,
  ours: Record<string, Credential>,
): Record<string, { id: string; name: string }> =>
  Object.fromEntries(
    Object.keys(wanted).map((type) => {
      const { id, name } = ours[type] as Credential;
      return [type, { id, name }];
    }),
  );
