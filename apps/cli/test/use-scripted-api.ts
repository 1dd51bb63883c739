import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Destination, startDestination } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Outcome, runCli } from './run-cli.ts';

export const event = {
  id: 'evt_AAAAAAAAAAAAAAAAAAAAAA',
  type: 'moText',
  integrationId: 'i1',
  integrationName: 'My integration',
  channel: 'whatsapp',
  from: '2799900001',
  to: '2799900002',
  messageId: 'm1',
  relatedMessageId: null,
  clientMessageId: null,
  occurredAt: '2026-11-20T10:00:00.000Z',
  receivedAt: '2026-11-20T10:00:01.000Z',
  data: { text: 'hello\nthere \u001b[31mred' },
  raw: { content: 'hello' },
};
export const delivery = {
  id: 'dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
  eventId: event.id,
  destinationId: 'crm',
  state: 'dead_letter',
  attempts: [
    {
      number: 1,
      startedAt: '2026-11-20T10:00:02.000Z',
      durationMs: 12.4,
      outcome: 'dead_letter',
      status: 503,
      error: { code: 'destination_rejected', message: 'crm answered 503' },
      response: 'sorry',
    },
  ],
  nextAttemptAt: null,
};

/** A condition as the API tells it. */
export const condition = {
  code: 'destination_failing',
  severity: 'critical',
  state: 'raised',
  subject: { kind: 'destination', id: 'crm' },
  since: new Date(Date.now() - 26.5 * 60_000).toISOString(),
  count: 371,
  sentence: 'crm takes nothing; 371 deliveries wait',
  mend: { text: 'see what it answers', command: 'clickrelay destinations test crm', link: 'docs/conditions.md' },
  inhibitedBy: null as string | null,
  acknowledged: null as { by: string; until: string | null; note: string | null } | null,
};

/** Leaves out what commands ask for unless they are told otherwise: personal data hidden, what became of events. */
const withoutDefaults = (path: string): string =>
  path.replaceAll(/(?<=[?&])(reveal=false|include=deliveries)(&|$)/g, '').replace(/[?&]$/, '');

export interface ScriptedApi {
  /** The answers of the API, by method and path. Anything else is not found. */
  readonly answers: Record<string, unknown>;
  readonly api: Pick<Destination, 'requests' | 'answerWith' | 'url'>;
  /** Runs a command to its end. */
  cli(...args: string[]): Promise<Outcome>;
  /** The requests that the API got: method, path and body. */
  asked(): string[];
  env(): Record<string, string>;
  dataDir(): string;
}

/** An API with scripted answers, to test what the commands ask for and what they make of the answers. */
export const useScriptedApi = (): ScriptedApi => {
  let dataDir: string;
  let server: Destination;
  const answers: Record<string, unknown> = {};
  const env = () => ({ DATA_DIR: dataDir, TZ: 'UTC' });

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
    await writeFile(join(dataDir, 'secrets.json'), '{"apiKey":"k3y"}');
  });
  afterAll(() => rm(dataDir, { recursive: true }));
  beforeEach(async () => {
    for (const name of Object.keys(answers)) delete answers[name];
    server = await startDestination({
      answer: ({ method, path }) => {
        const answer = answers[`${method} ${withoutDefaults(path)}`];
        if (answer !== undefined) return { status: 200, body: JSON.stringify(answer) };
        return { status: 404, body: '{"error":{"code":"not_found","message":"no such thing"}}' };
      },
    });
    await writeFile(join(dataDir, 'run.json'), JSON.stringify({ apiUrl: `http://127.0.0.1:${server.port}` }));
  });
  afterEach(() => server.close());

  return {
    answers,
    api: {
      get requests() {
        return server.requests;
      },
      get url() {
        return server.url;
      },
      answerWith: (answer) => server.answerWith(answer),
    },
    cli: (...args) => runCli(args, env()),
    asked: () => server.requests.map(({ method, path, body }) => `${method} ${path}${body && ` ${body}`}`),
    env,
    dataDir: () => dataDir,
  };
};
