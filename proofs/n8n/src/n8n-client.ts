import { Buffer } from 'node:buffer';
import { waitUntil } from '@clickrelay/testkit';

export type Json = Record<string, unknown>;

export interface NodeDefinition {
  id?: string;
  name: string;
  type: string;
  typeVersion?: number;
  position?: [number, number];
  parameters?: Json;
  credentials?: Record<string, { id: string; name: string }>;
  [other: string]: unknown;
}

/** A workflow as n8n exports and imports it. */
export interface WorkflowDefinition {
  name: string;
  nodes: NodeDefinition[];
  connections: Json;
  settings?: Json;
  [other: string]: unknown;
}

export interface Workflow {
  id: string;
  versionId: string;
  name: string;
}

export interface Credential {
  id: string;
  name: string;
  type: string;
}

interface ExecutionSummary {
  id: string;
  status: 'new' | 'running' | 'waiting' | 'unknown' | 'success' | 'error' | 'crashed' | 'canceled';
  mode: string;
  startedAt: string;
  stoppedAt: string | null;
}

interface NodeRun {
  data?: { main?: ({ json: Json; binary?: Record<string, Json> }[] | null)[] };
  error?: { message: string; description?: string };
}

export interface Execution extends ExecutionSummary {
  data: { resultData: { runData: Record<string, NodeRun[]>; error?: { message: string; description?: string } } };
}

export interface N8nClient {
  readonly url: string;
  /** Creates the owner on a fresh n8n, and logs in on any other. */
  connect(): Promise<void>;
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  nodeTypes(): Promise<Json[]>;
  createCredential(name: string, type: string, data: Json): Promise<Credential>;
  /** Presses the button "Test". */
  testCredential(credential: Credential, data: Json): Promise<{ status: 'OK' | 'Error'; message: string }>;
  createWorkflow(definition: WorkflowDefinition): Promise<Workflow>;
  activate(workflow: Workflow): Promise<void>;
  deactivate(workflow: Workflow): Promise<void>;
  /** Presses the button "Execute workflow". */
  runManually(workflow: Workflow, trigger: string): Promise<{ executionId?: string; waitingForWebhook?: boolean }>;
  /** Presses the button "Retry" of a failed execution: n8n runs it again from the node that failed. */
  retry(execution: Execution): Promise<void>;
  /** Newest first. */
  executions(workflow: Workflow): Promise<ExecutionSummary[]>;
  execution(id: string): Promise<Execution>;
  /** Downloads the binary data of an item. */
  binary(data: Json | undefined): Promise<Buffer>;
}

/** For our own n8n, which listens only on this machine and whose data are thrown away. */
export const OWNER = { email: 'owner@example.com', firstName: 'Suite', lastName: 'Owner', password: 'Suite-Owner-1' };

/** Uses the API of n8n's editor: the public one needs a key that only the editor can create. */
export const createN8nClient = (url: string): N8nClient => {
  let cookie = '';

  const request = async (method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> => {
    const response = await fetch(url + path, {
      method,
      // The cookie is bound to the browser-id that logged in.
      headers: { 'content-type': 'application/json', 'browser-id': 'n8n-suite', ...(cookie === '' ? {} : { cookie }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const login = response.headers.getSetCookie().find((line) => line.startsWith('n8n-auth='));
    if (login !== undefined) cookie = login.split(';')[0] as string;
    return { status: response.status, text: await response.text() };
  };

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const { status, text } = await request(method, path, body);
    if (status < 200 || status > 299)
      throw new Error(`n8n answered ${status} to ${method} ${path}: ${text.slice(0, 500)}`);
    const answer = JSON.parse(text) as { data?: T };
    return answer.data === undefined ? (answer as T) : answer.data;
  };

  /** n8n answers first, and starts or stops triggers afterwards. */
  const publicationOf = (workflow: Workflow, isWanted: (publication: Publication) => boolean): Promise<Publication> =>
    waitUntil(
      async () => {
        const now = await call<Publication>('GET', `/rest/workflows/${workflow.id}/publication-status`);
        return now.status !== 'in_progress' && isWanted(now) ? now : undefined;
      },
      { timeoutMs: 30_000, everyMs: 100, what: `the triggers of ${workflow.name}` },
    );

  return {
    url,
    call,
    connect: async () => {
      cookie = '';
      const { status } = await request('POST', '/rest/owner/setup', OWNER);
      if (status === 200) return;
      await call('POST', '/rest/login', { emailOrLdapLoginId: OWNER.email, password: OWNER.password });
    },
    nodeTypes: () => call('GET', '/types/nodes.json'),
    createCredential: (name, type, data) => call('POST', '/rest/credentials', { name, type, data }),
    testCredential: ({ id, name, type }, data) =>
      call('POST', '/rest/credentials/test', { credentials: { id, name, type, data } }),
    createWorkflow: (definition) =>
      call('POST', '/rest/workflows', { settings: { executionOrder: 'v1' }, active: false, ...definition }),
    activate: async (workflow) => {
      await call('POST', `/rest/workflows/${workflow.id}/activate`, { versionId: workflow.versionId });
      const { status, triggers } = await publicationOf(workflow, (now) => now.status !== 'not_published');
      if (status === 'published') return;
      throw new Error(
        `${workflow.name} was not activated: ${triggers.map(({ errorMessage }) => errorMessage).join('; ')}`,
      );
    },
    deactivate: async (workflow) => {
      await call('POST', `/rest/workflows/${workflow.id}/deactivate`, {});
      await publicationOf(workflow, (now) => now.status === 'not_published');
    },
    runManually: ({ id }, trigger) =>
      call('POST', `/rest/workflows/${id}/run`, { triggerToStartFrom: { name: trigger } }),
    retry: async ({ id }) => {
      await call('POST', `/rest/executions/${id}/retry`, { loadWorkflow: false });
    },
    executions: async ({ id }) => {
      const filter = encodeURIComponent(JSON.stringify({ workflowId: id }));
      const all: ExecutionSummary[] = [];
      let next = '';
      do {
        const path = `/rest/executions?filter=${filter}&limit=${PAGE}${next}`;
        const { results, nextCursor } = await call<ExecutionPage>('GET', path);
        all.push(...results);
        next = nextCursor ? `&cursor=${encodeURIComponent(nextCursor)}` : '';
      } while (next !== '');
      // n8n lists those that run first.
      return all.sort((a, b) => Number(b.id) - Number(a.id));
    },
    execution: async (id) => {
      const execution = await call<ExecutionSummary & { data: string }>('GET', `/rest/executions/${id}`);
      return { ...execution, data: unflatten(execution.data) as Execution['data'] };
    },
    binary: async (data) => {
      if (typeof data?.['id'] !== 'string') return Buffer.from(String(data?.['data']), 'base64');
      const response = await fetch(`${url}/rest/binary-data?action=view&id=${encodeURIComponent(data['id'])}`, {
        headers: { 'browser-id': 'n8n-suite', cookie },
      });
      return Buffer.from(await response.arrayBuffer());
    },
  };
};

interface Publication {
  status: 'in_progress' | 'not_published' | 'published' | 'partial' | 'failed';
  triggers: { nodeId: string; status: string; errorMessage: string | null }[];
}

interface ExecutionPage {
  results: ExecutionSummary[];
  nextCursor?: string | null;
}

/** The most executions that n8n lists at once. */
const PAGE = 100;

/** The items that a node put out in an execution, by default on its first output. */
export const itemsOf = (
  execution: Execution | undefined,
  node: string,
  output = 0,
): { json: Json; binary?: Record<string, Json> }[] => {
  const runs = execution?.data.resultData.runData[node] ?? [];
  return runs.flatMap((run) => run.data?.main?.[output] ?? []);
};

/**
 * Reads the data of an execution, which n8n stores in the format of `flatted`: one array, whose strings index into it.
 */
const unflatten = (text: string): unknown => {
  const table = JSON.parse(text) as unknown[];
  const done = new Map<number, unknown>();
  const at = (index: number): unknown => {
    const entry = table[index];
    if (typeof entry !== 'object' || entry === null) return entry;
    if (done.has(index)) return done.get(index);
    const made: unknown[] | Json = Array.isArray(entry) ? [] : {};
    done.set(index, made);
    for (const [key, value] of Object.entries(entry)) {
      (made as Json)[key] = typeof value === 'string' ? at(Number(value)) : value;
    }
    return made;
  };
  return at(0);
};
