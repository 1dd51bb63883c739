import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleCallback } from '@clickrelay/simulator';
import { packPackage } from './install-package.ts';
import { type Execution, itemsOf } from './n8n-client.ts';
import { clickrelayTrigger, workflowOf } from './nodes.ts';
import { type Rig, startRig } from './rig.ts';

// Measures how many workflows a second n8n runs for events of Clickrelay, and how soon after a callback its workflow
// starts.

const EVENTS = 400;
const PACED = 60;
/** Polling costs n8n time too. */
const RARELY = { timeoutMs: 180_000, everyMs: 3_000 };

interface Measurement {
  n8n: string;
  concurrency: number;
  perSecond: number;
  delayP50Ms: number;
  delayP99Ms: number;
}

const measure = async (rig: Rig, concurrency: number): Promise<Omit<Measurement, 'n8n'>> => {
  // Only the trigger and a node that does nothing, to measure the way there.
  const noOp = { name: 'Nothing', type: 'n8n-nodes-base.noOp', typeVersion: 1 };
  const workflow = await rig.addWorkflow(
    workflowOf(`concurrency ${concurrency}`, clickrelayTrigger({ events: ['moText'], options: { concurrency } }), noOp),
  );
  // The first events warm everything up.
  for (let index = 0; index < 20; index++) await rig.relay.post(sampleCallback('moText'));
  await rig.ended(workflow, 20);

  for (let index = 0; index < PACED; index++) {
    await rig.relay.post(sampleCallback('moText'));
    await sleep(500);
  }
  const paced = (await rig.ended(workflow, 20 + PACED)).slice(20);
  const delays = paced.map(delayMs).sort((a, b) => a - b);

  // All at once: they wait in Clickrelay, and n8n leases them as fast as it can.
  await Promise.all(Array.from({ length: EVENTS }, () => rig.relay.post(sampleCallback('moText'))));
  const burst = (await rig.ended(workflow, 20 + PACED + EVENTS, RARELY)).slice(20 + PACED);
  const startedAt = Math.min(...burst.map((execution) => Date.parse(execution.startedAt)));
  const endedAt = Math.max(...burst.map((execution) => Date.parse(execution.stoppedAt ?? '')));
  await rig.n8n.client.deactivate(workflow);
  return {
    concurrency,
    perSecond: Math.round((EVENTS / (endedAt - startedAt)) * 10_000) / 10,
    delayP50Ms: delays[Math.floor(PACED * 0.5)] as number,
    delayP99Ms: delays[Math.floor(PACED * 0.99)] as number,
  };
};

const delayMs = (execution: Execution): number =>
  Date.parse(execution.startedAt) - Date.parse(String(itemsOf(execution, 'Clickatell Trigger')[0]?.json['receivedAt']));

const folder = await mkdtemp(join(tmpdir(), 'clickrelay-throughput-'));
const results: Measurement[] = [];
try {
  const tarball = await packPackage(folder);
  for (const [n8n, n8nEnv] of [
    ['as it is shipped', {}],
    ['N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE=true', { N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true' }],
  ] as [string, Record<string, string>][]) {
    const rig = await startRig({ tarball, n8nEnv });
    try {
      for (const concurrency of [5, 20]) results.push({ n8n, ...(await measure(rig, concurrency)) });
    } finally {
      await rig.stop();
    }
  }
} finally {
  await rm(folder, { recursive: true });
}
console.table(results);
