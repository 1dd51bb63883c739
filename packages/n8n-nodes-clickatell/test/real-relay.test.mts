import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import { type Program, startProgram, waitUntil } from '@clickrelay/testkit';
import type { IDataObject, ITriggerResponse } from 'n8n-workflow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickatellTrigger } from '../nodes/ClickatellTrigger/ClickatellTrigger.node.ts';
import { type FakeRun, failed, fakeTrigger, succeeded } from './fake-n8n.mts';

// The trigger against Clickrelay itself, as people start it, with a real Redis: what both sides think of the lease API
// is the same.

const API_KEY = 'the-operators-key-0123456789';

let folder: string;
let environment: Record<string, string>;
let clickrelay: Program;
let leaseKey: string;
const open: ITriggerResponse[] = [];

const start = async (): Promise<void> => {
  const main = join(import.meta.dirname, '../../../apps/cli/dist/main.js');
  clickrelay = await startProgram({ args: [main, 'start'], env: environment, readyOutput: /Mend/, timeoutMs: 60_000 });
};

// Tests look at what came, whatever it is.
// biome-ignore lint/suspicious/noExplicitAny: see above
const api = async (method: string, path: string, body?: unknown, key = API_KEY): Promise<any> => {
  const response = await fetch(`http://127.0.0.1:${environment['API_PORT']}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return await response.json();
};

const post = async (...callback: Parameters<typeof sampleCallback>): Promise<void> => {
  const response = await fetch(
    `http://127.0.0.1:${environment['PORT']}/client-callback/one-api-reply?token=callback-secret-123`,
    {
      method: 'POST',
      body: JSON.stringify(sampleCallback(...callback)),
    },
  );
  expect(response.status).toBe(200);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-n8n-'));
  environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    API_KEY,
    CALLBACK_AUTH: 'query:callback-secret-123',
    RETRY_SCHEDULE: '0s,100ms,100ms',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
  };
  await start();
  leaseKey = (await api('POST', '/v1/keys', { name: 'n8n', scopes: ['lease'], destinations: ['n8n-*'] })).key;
});
afterEach(async () => {
  for (const response of open.splice(0)) await response.closeFunction?.();
  await clickrelay.stop();
  await rm(folder, { recursive: true, force: true });
});

const activate = async (
  onRun: (run: FakeRun) => void,
  parameters: IDataObject = {},
  mode: 'trigger' | 'manual' = 'trigger',
) => {
  const credentials = { clickrelayApi: { baseUrl: `http://127.0.0.1:${environment['API_PORT']}`, apiKey: leaseKey } };
  const node = fakeTrigger({ parameters: { events: ['mo*'], ...parameters }, credentials, mode }, onRun);
  const response = await new ClickatellTrigger().trigger.call(node.functions);
  open.push(response);
  return { ...node, response };
};

const DESTINATION = 'n8n-a1b2c3d4-wfabc123-b0fe5b4e';

describe('with Clickrelay itself', () => {
  it('takes what was chosen, acknowledges what succeeded, and is back after a restart', async () => {
    expect(await api('GET', '/v1/whoami', undefined, leaseKey)).toMatchObject({ name: 'n8n', scopes: ['lease'] });
    const { runs, emittedErrors, failedExecutions } = await activate((run) => run.end(succeeded()));
    expect(await api('GET', `/v1/destinations/${DESTINATION}`)).toMatchObject({ type: 'pull', events: ['mo*'] });
    await post('messageStatusUpdate');
    await post('moText');
    await waitUntil(() => runs.length === 1);
    expect(runs[0]?.item.json).toMatchObject({ type: 'moText', text: 'Text Content of the reply message', attempt: 1 });
    const eventId = runs[0]?.item.json['eventId'];
    await waitUntil(async () => (await api('GET', `/v1/events/${eventId}`)).deliveries[0].state === 'delivered');

    await clickrelay.stop();
    await start();
    await post('moButtonResponse');
    await waitUntil(() => runs.length === 2, { timeoutMs: 20_000 });
    expect([...emittedErrors, ...failedExecutions]).toEqual([]);
  });

  it('starts for what its filter is true of, and is not activated with one that is wrong', async () => {
    const chosen = (filter: string) => ({ options: { filter } });
    const { runs } = await activate((run) => run.end(succeeded()), chosen("event.type == 'moButtonResponse'"));
    await post('moText');
    await post('moButtonResponse');
    await waitUntil(() => runs.length === 1);
    expect(runs[0]?.item.json['type']).toBe('moButtonResponse');
    await expect(activate(() => {}, chosen('event.type =='))).rejects.toThrow(/filter: .* at column 14/);
  });

  it('runs one workflow at a time for each conversation when it is to keep the order', async () => {
    const { runs } = await activate(() => undefined, { options: { keepOrder: true } });
    await post('moText');
    await post('moText');
    await post('moText', { from: '27832' });
    const from = (run: FakeRun | undefined) => run?.item.json['from'];
    await waitUntil(() => runs.length === 2);
    expect(new Set(runs.map(from))).toEqual(new Set(['2799900001', '27832']));
    runs.find((run) => from(run) === '2799900001')?.end(succeeded());
    await waitUntil(() => runs.length === 3);
    expect(from(runs[2])).toBe('2799900001');
    for (const run of runs.slice(1)) run.end(succeeded());
  });

  it('a workflow that fails is tried again, then a dead letter with its error, which can be replayed', async () => {
    let broken = true;
    const { runs } = await activate((run) => run.end(broken ? failed('no such customer') : succeeded()));
    await post('moText');
    const [letter] = await waitUntil(async () => {
      const { items } = await api('GET', '/v1/dead-letters');
      return items.length > 0 && items;
    });
    expect(runs.map(({ item }) => item.json['attempt'])).toEqual([1, 2, 3]);
    expect(JSON.stringify(letter)).toContain('the workflow failed in \\"Some Node\\": no such customer');
    broken = false;
    await api('POST', `/v1/deliveries/${letter.deliveryId}/replay`);
    await waitUntil(() => runs.length === 4);
    await waitUntil(async () => (await api('GET', '/v1/dead-letters')).items.length === 0);
  });

  it('a test shows the newest event and takes nothing', async () => {
    const production = await activate(() => undefined, { options: { concurrency: 1 } });
    await post('moText');
    await waitUntil(() => production.runs.length === 1);
    await post('moLocation');
    const test = await activate(() => undefined, {}, 'manual');
    await waitUntil(async () => (await api('GET', `/v1/destinations/${DESTINATION}/peek`)).deliveries.length === 1);
    await test.response.manualTriggerFunction?.();
    expect(test.runs[0]?.item.json).toMatchObject({ type: 'moLocation', test: true });
    production.runs[0]?.end(succeeded());
    await waitUntil(() => production.runs.length === 2);
    expect(production.runs[1]?.item.json).toMatchObject({ type: 'moLocation', attempt: 1, test: false });
  });

  it('a key that is bound to other destinations is refused with what to do', async () => {
    leaseKey = (await api('POST', '/v1/keys', { name: 'other', scopes: ['lease'], destinations: ['crm'] })).key;
    await expect(activate(() => undefined)).rejects.toThrow(`This API key may not lease from "${DESTINATION}"`);
  });
});
