import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { allAcknowledged } from '../src/all-acknowledged.ts';
import { type Execution, itemsOf, type NodeDefinition } from '../src/n8n-client.ts';
import { callService, clickatell, clickrelayTrigger, failUnlessOk, workflowOf } from '../src/nodes.ts';
import { type Rig, startRig } from '../src/rig.ts';

// An event starts a workflow more than once when something fails. Whoever wrote gets one answer all the same.

let rig: Rig;
beforeAll(async () => {
  // Events beyond two wait inside of n8n, which runs them after a restart, beside what Clickrelay hands out again.
  rig = await startRig({ tarball: inject('tarball'), n8nEnv: { N8N_CONCURRENCY_PRODUCTION_LIMIT: '2' } });
});
afterAll(() => rig?.stop());

const TRIGGER = 'Clickatell Trigger';
let people = 27829990000;

/** A bot that answers one person, and what Clickatell got for that person. */
const startBot = async (name: string, ...nodes: NodeDefinition[]) => {
  const workflow = await rig.addWorkflow(
    workflowOf(name, clickrelayTrigger({ events: ['moText'], mostTries: 2 }), ...nodes),
  );
  const from = String(++people);
  await rig.relay.post(sampleCallback('moText', { content: name, from }));
  return { workflow, sent: () => messagesTo(from) };
};

const messagesTo = (number: string) =>
  rig.clickatell
    .requests('/v1/message')
    .flatMap(({ body }) => JSON.parse(body).messages as { to: string; clientMessageId: string }[])
    .filter(({ to }) => to === number);

const reply = (options = {}) => clickatell('Reply', { operation: 'reply', text: 'Thanks', options });

const OK = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/** Waits for this many dead letters. */
const deadLetters = (count: number, timeoutMs = 30_000) =>
  waitUntil(
    async () => {
      const { items } = await rig.relay.cli<{ items: unknown[] }>('dead-letters', '--reveal');
      return items.length === count ? items : undefined;
    },
    { timeoutMs, everyMs: 500, what: `${count} dead letters` },
  );

const statusesOf = (executions: readonly Execution[]) => executions.map(({ status }) => status);

it.each([
  ['one answer', {}, 1],
  ['an answer with each try when that is switched off', { once: false }, 4],
])('a workflow that fails behind its reply, replayed, and run by hand: %s', async (_what, options, count) => {
  rig.service.answerWith(() => OK);
  const { workflow, sent } = await startBot(
    'fails behind',
    callService(rig.service.url),
    reply(options),
    failUnlessOk('no'),
  );
  await rig.ended(workflow, 2);
  await deadLetters(1);
  await rig.relay.cli('replay', '--all');
  expect(statusesOf(await rig.ended(workflow, 4))).toEqual(Array(4).fill('error'));
  for (const ended of [5, 6]) {
    await rig.n8n.client.runManually(workflow, TRIGGER);
    await rig.ended(workflow, ended);
  }
  expect(sent()).toHaveLength(count);
  expect(new Set(sent().map(({ clientMessageId }) => clientMessageId)).size).toBe(1);
  await rig.n8n.client.deactivate(workflow);
  await deadLetters(1);
  await rig.relay.cli('dead-letters', 'remove', '--all', '--expected', '1');
});

it.each([
  ['one answer', {}, 1],
  ['two when that is switched off', { once: false }, 2],
])(
  "a workflow that fails before its reply, and then n8n's own Retry and a replay: %s",
  async (_what, options, count) => {
    let isRepaired = false;
    rig.service.answerWith(() => (isRepaired ? OK : { status: 500 }));
    const { workflow, sent } = await startBot('fails before', callService(rig.service.url), reply(options));
    const [failed] = await rig.ended(workflow, 2);
    await deadLetters(1);
    expect(sent()).toEqual([]);
    isRepaired = true;
    await rig.n8n.client.retry(failed as Execution);
    await waitUntil(() => sent().length === 1, { timeoutMs: 30_000, what: 'the answer of the retried execution' });
    await rig.relay.cli('replay', '--all');
    await rig.ended(workflow, 4);
    await deadLetters(0);
    expect(sent()).toHaveLength(count);
    await rig.n8n.client.deactivate(workflow);
  },
);

it('n8n is killed while it sends: one message, an error that says so, and success when its status comes', async () => {
  rig.clickatell.losesAnswers = true;
  const { workflow, sent } = await startBot('killed', reply());
  await waitUntil(() => sent().length === 1, { timeoutMs: 30_000, what: 'the message' });
  await rig.n8n.kill();
  rig.clickatell.losesAnswers = false;
  await rig.n8n.start();
  const [letter] = await deadLetters(1, 180_000);
  expect(JSON.stringify(letter)).toContain('It is not known whether an earlier try has sent this message');
  expect(sent()).toHaveLength(1);

  const clientMessageId = sent()[0]?.clientMessageId ?? '';
  const status = { clientMessageId, messageId: 'the-id-at-clickatell', statusCode: 5, status: 'DEVICE_ACK' };
  await rig.relay.post(sampleCallback('messageStatusUpdate', status));
  await waitUntil(() => rig.relay.cli('message', clientMessageId).catch(() => undefined), { timeoutMs: 30_000 });
  await rig.relay.cli('replay', '--all');
  await deadLetters(0);
  const last = await waitUntil(async () => {
    const all = await rig.ended(workflow, 1);
    return all.find((one) => one.status === 'success');
  });
  expect(itemsOf(last, 'Reply')[0]?.json).toMatchObject({
    accepted: true,
    alreadySent: true,
    apiMessageId: 'the-id-at-clickatell',
  });
  expect(sent()).toHaveLength(1);
  await rig.n8n.client.deactivate(workflow);
}, 300_000);

it('n8n is restarted with events that wait inside of it: one answer to each', async () => {
  const released = Promise.withResolvers<void>();
  const asked: string[] = [];
  rig.service.answerWith(async ({ body }) => {
    asked.push(body);
    await released.promise;
    return OK;
  });
  const trigger = clickrelayTrigger({ events: ['moText'], options: { concurrency: 8 } });
  const workflow = await rig.addWorkflow(workflowOf('queued', trigger, callService(rig.service.url), reply()));
  const numbers = Array.from({ length: 8 }, () => String(++people));
  for (const from of numbers) await rig.relay.post(sampleCallback('moText', { content: 'queued', from }));
  await waitUntil(() => asked.length === 2, { timeoutMs: 30_000, what: 'two workflows under way' });
  await waitUntil(async () => (await rig.n8n.client.executions(workflow)).length === 8, {
    timeoutMs: 30_000,
    what: 'six more inside of n8n',
  });
  await rig.n8n.kill();
  released.resolve();
  await rig.n8n.start();
  await waitUntil(() => numbers.every((number) => messagesTo(number).length > 0), {
    timeoutMs: 120_000,
    what: 'an answer to each',
  });
  await allAcknowledged(rig, workflow);
  expect(numbers.map((number) => messagesTo(number).length)).toEqual(Array(8).fill(1));
  await rig.n8n.client.deactivate(workflow);
}, 300_000);
