import { setTimeout as sleep } from 'node:timers/promises';
import { sampleCallback } from '@clickrelay/simulator';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { itemsOf } from '../src/n8n-client.ts';
import { clickrelayTrigger, workflowOf } from '../src/nodes.ts';
import { type Rig, startRig } from '../src/rig.ts';

/** Long enough that n8n would have given up on a trigger that told it of errors. */
const AWAY_MS = Number(process.env['N8N_SUITE_OUTAGE_MS'] ?? 120_000);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ tarball: inject('tarball') });
});
afterAll(() => rig?.stop());

it(
  'Clickrelay is away for two minutes: the trigger resumes by itself within 10 s',
  async () => {
    const workflow = await rig.addWorkflow(workflowOf('patient', clickrelayTrigger({ events: ['moText'] })));
    await rig.relay.post(sampleCallback('moText', { content: 'before' }));
    await rig.ended(workflow, 1);

    await rig.relay.stop();
    await sleep(AWAY_MS);
    await rig.relay.start();
    const backAt = Date.now();
    await rig.relay.post(sampleCallback('moText', { content: 'after' }));
    // Two of them are no runs: they tell people, and the error workflow, that Clickrelay was away, and that it is back.
    const executions = await rig.ended(workflow, 4);
    expect(executions.map(({ status }) => status).sort()).toEqual(['error', 'error', 'success', 'success']);
    const after = executions.find((one) => itemsOf(one, 'Clickatell Trigger')[0]?.json['text'] === 'after');
    const resumedAfterMs = Date.parse(after?.startedAt ?? '') - backAt;
    console.log(`resumed ${resumedAfterMs} ms after Clickrelay was back`);
    expect(resumedAfterMs).toBeLessThan(10_000);
  },
  AWAY_MS + 90_000,
);
