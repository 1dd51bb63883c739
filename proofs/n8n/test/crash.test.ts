import { setTimeout as sleep } from 'node:timers/promises';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { allAcknowledged } from '../src/all-acknowledged.ts';
import { itemsOf } from '../src/n8n-client.ts';
import { callService, clickrelayTrigger, workflowOf } from '../src/nodes.ts';
import { type Rig, startRig } from '../src/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ tarball: inject('tarball') });
});
afterAll(() => rig?.stop());

it('n8n is killed while 20 workflows run: every event succeeds in the end, and only those 20 run twice', async () => {
  const [total, before, running] = [40, 15, 20];
  // The service answers the first few at once. The next 20 wait for an answer until n8n is dead.
  let isKilled = false;
  const answered = new Set<string>();
  const hanging = new Set<string>();
  rig.service.answerWith(({ body }) => {
    const { text } = JSON.parse(body) as { text: string };
    if (!isKilled && answered.size >= before) {
      hanging.add(text);
      return 'hang';
    }
    answered.add(text);
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
  });
  const workflow = await rig.addWorkflow(
    workflowOf(
      'work',
      clickrelayTrigger({ events: ['moText'], options: { concurrency: running } }),
      callService(rig.service.url),
    ),
  );
  const texts = Array.from({ length: total }, (_, index) => `event ${String(index).padStart(2, '0')}`);
  for (const content of texts.slice(0, before)) await rig.relay.post(sampleCallback('moText', { content }));
  await rig.ended(workflow, before);
  for (const content of texts.slice(before)) await rig.relay.post(sampleCallback('moText', { content }));
  await waitUntil(() => hanging.size === running, { timeoutMs: 40_000, what: `${running} workflows under way` });

  const killedAt = Date.now();
  await rig.n8n.kill();
  isKilled = true;
  await rig.n8n.start();
  await waitUntil(() => answered.size === total, { timeoutMs: 120_000, what: 'the service to have got every event' });
  console.log(`n8n was back and had done everything ${Date.now() - killedAt} ms after it was killed`);

  const executions = await rig.ended(workflow, total + running);
  const runs = new Map<string, string[]>(texts.map((text) => [text, []]));
  for (const execution of executions) {
    // Of an execution that was killed, n8n may have kept no data.
    const text = itemsOf(execution, 'Clickatell Trigger')[0]?.json['text'];
    if (text !== undefined) runs.get(String(text))?.push(execution.status);
  }
  for (const [text, statuses] of runs) {
    expect(
      statuses.filter((status) => status === 'success'),
      text,
    ).toHaveLength(1);
  }
  // What reached the service twice is what was under way when n8n was killed.
  const times = Map.groupBy(rig.service.requests, ({ body }) => (JSON.parse(body) as { text: string }).text);
  const twice = [...times].filter(([, requests]) => requests.length > 1).map(([text]) => text);
  expect(twice.sort()).toEqual([...hanging].sort());
  await rig.n8n.client.deactivate(workflow);
}, 240_000);

/** Workflows that wait for an answer of the service until `release`. */
const startWaiting = async (name: string, count: number) => {
  const released = Promise.withResolvers<void>();
  const arrived: string[] = [];
  rig.service.answerWith(async ({ body }) => {
    arrived.push((JSON.parse(body) as { text: string }).text);
    await released.promise;
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
  });
  const trigger = clickrelayTrigger({ events: ['moText'], options: { concurrency: count } });
  const workflow = await rig.addWorkflow(workflowOf(name, trigger, callService(rig.service.url)));
  const texts = Array.from({ length: count }, (_, index) => `${name} ${index}`);
  for (const content of texts) await rig.relay.post(sampleCallback('moText', { content }));
  await waitUntil(() => arrived.length === count, { timeoutMs: 30_000, what: `${count} workflows under way` });
  return { workflow, texts, arrived, release: released.resolve };
};

it('n8n is stopped and started, as by an update, while workflows run: none runs twice', async () => {
  const { workflow, texts, arrived, release } = await startWaiting('update', 5);
  const stopping = rig.n8n.stop();
  // Longer than the trigger waits for runs when it is closed; n8n itself waits for them for 30 s.
  await sleep(6_000);
  release();
  await stopping;
  await rig.n8n.start();

  const executions = await rig.ended(workflow, texts.length);
  expect(executions.map(({ status }) => status)).toEqual(Array(texts.length).fill('success'));
  await allAcknowledged(rig, workflow);
  expect(arrived.toSorted()).toEqual(texts);
  await rig.n8n.client.deactivate(workflow);
}, 200_000);

it('all of Clickrelay is killed and started while workflows run: none runs twice', async () => {
  const { workflow, texts, arrived, release } = await startWaiting('outage', 5);
  await rig.relay.kill();
  release();
  await rig.ended(workflow, texts.length);
  await rig.relay.start();

  await allAcknowledged(rig, workflow);
  expect(arrived.toSorted()).toEqual(texts);
  await rig.n8n.client.deactivate(workflow);
}, 200_000);
