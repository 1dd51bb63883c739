import { randomBytes } from 'node:crypto';
import { freshCopy, sampleCallback, samples } from '@clickrelay/simulator';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { itemsOf } from '../src/n8n-client.ts';
import { callService, clickatell, clickrelayTrigger, failUnlessOk, webhookTrigger, workflowOf } from '../src/nodes.ts';
import { type Rig, startRig } from '../src/rig.ts';

// What a person who builds workflows meets, in the order in which they meet it.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ tarball: inject('tarball') });
});
afterAll(() => rig?.stop());

const TRIGGER = 'Clickatell Trigger';

describe('the credentials', () => {
  it('pass their test with the right key', async () => {
    for (const type of ['clickrelayApi', 'clickatellApi'] as const) {
      const test = await rig.n8n.client.testCredential(rig.credentials[type], rig.secrets[type]);
      expect(test, type).toMatchObject({ status: 'OK' });
    }
  });

  it('fail it with a wrong one', async () => {
    for (const type of ['clickrelayApi', 'clickatellApi'] as const) {
      const wrong = { ...rig.secrets[type], apiKey: 'crk_wrong' };
      const test = await rig.n8n.client.testCredential(rig.credentials[type], wrong);
      expect(test, type).toMatchObject({ status: 'Error' });
    }
  });
});

describe('activation', () => {
  it('fails with a key that is not bound to the destination, and says what to do', async () => {
    const trigger = clickrelayTrigger({ events: ['moText'], options: { destinationId: 'support-bot' } });
    await expect(rig.addWorkflow(workflowOf('not ours', trigger))).rejects.toThrow(
      'This API key may not lease from "support-bot"',
    );
  });
});

describe("Clickatell's sample, posted to the receiver", () => {
  it('starts a workflow for each inbound message, with its data; a status starts nothing', async () => {
    const workflow = await rig.addWorkflow(workflowOf('all messages', clickrelayTrigger()));
    await rig.relay.post(samples.status);
    await rig.relay.post(samples.reply);
    const executions = await rig.ended(workflow, 8);
    const items = executions.flatMap((execution) => itemsOf(execution, TRIGGER).map(({ json }) => json));

    const elements = Object.entries(samples.reply.event).flatMap(([type, list]) => list.map((raw) => ({ type, raw })));
    expect(items).toHaveLength(elements.length);
    for (const { type, raw } of elements) expect(items).toContainEqual(expect.objectContaining({ type, raw }));
    expect(items.find(({ type }) => type === 'moText')).toMatchObject({
      text: 'Text Content of the reply message',
      channel: 'whatsapp/sms',
      from: '2799900001',
      to: '2799900002',
      attempt: 1,
      test: false,
    });

    // What was posted after the status has its execution; so would the status by now.
    await rig.relay.post(sampleCallback('moText', { content: 'the last one' }));
    const all = await rig.ended(workflow, 9);
    expect(all.map(({ status }) => status)).toEqual(Array(9).fill('success'));
    await rig.n8n.client.deactivate(workflow);
  });

  it('is answered by the reply action: Clickatell gets the right request', async () => {
    const workflow = await rig.addWorkflow(
      workflowOf(
        'answer',
        clickrelayTrigger({ events: ['moText'] }),
        clickatell('Reply', { operation: 'reply', text: '=You said: {{ $json.text }}' }),
      ),
    );
    const before = rig.clickatell.requests('/v1/message').length;
    const { from, to } = { from: '27829990001', to: '27829990002' };
    await rig.relay.post(sampleCallback('moText', { channel: 'whatsapp', from, to, content: 'hello' }));
    const [execution] = await rig.ended(workflow, 1);

    const requests = rig.clickatell.requests('/v1/message').slice(before);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ method: 'POST', headers: { authorization: rig.clickatell.apiKey } });
    const { messages } = JSON.parse(requests[0]?.body ?? '');
    expect(messages).toMatchObject([{ channel: 'whatsapp', to: from, content: 'You said: hello' }]);
    expect(messages[0].clientMessageId).toMatch(/./);
    const [item] = itemsOf(execution, 'Reply');
    expect(item?.json).toMatchObject({ accepted: true, to: from, clientMessageId: messages[0].clientMessageId });
    await rig.n8n.client.deactivate(workflow);
  });
});

describe('status updates', () => {
  it('start a workflow that chose their class, and only that class', async () => {
    const workflow = await rig.addWorkflow(
      workflowOf('failed', clickrelayTrigger({ events: ['messageStatusUpdate'], statusClasses: ['failed'] })),
    );
    await rig.relay.post(sampleCallback('messageStatusUpdate', { statusCode: 5, status: 'DEVICE_ACK' }));
    await rig.relay.post(sampleCallback('moText'));
    await rig.relay.post(sampleCallback('messageStatusUpdate', { statusCode: 23, status: 'DELIVERY_FAILURE' }));
    const executions = await rig.ended(workflow, 1);
    expect(executions.map((execution) => itemsOf(execution, TRIGGER)[0]?.json)).toMatchObject([
      { type: 'messageStatusUpdate', status: 'DELIVERY_FAILURE', statusClass: 'failed' },
    ]);
    await rig.n8n.client.deactivate(workflow);
  });
});

describe('a workflow that fails', () => {
  it('is tried again with back-off, then its event is a dead letter with the error, and can be replayed', async () => {
    const workflow = await rig.addWorkflow(
      workflowOf(
        'crm',
        clickrelayTrigger({ events: ['moText'] }),
        callService(rig.service.url),
        failUnlessOk('no such customer in the CRM'),
      ),
    );
    let isRepaired = false;
    rig.service.answerWith(({ body }) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ok: isRepaired || JSON.parse(body).text !== 'fails' }),
    }));
    await rig.relay.post(sampleCallback('moText', { content: 'fails' }));
    await rig.relay.post(sampleCallback('moText', { content: 'works' }));

    // Three attempts at the one, as RETRY_SCHEDULE has it, and one at the other.
    const executions = await rig.ended(workflow, 4, { timeoutMs: 40_000 });
    const runs = executions.map((execution) => {
      const json = itemsOf(execution, TRIGGER)[0]?.json;
      return `${json?.['text']}, attempt ${json?.['attempt']}: ${execution.status}`;
    });
    expect(runs.sort()).toEqual([
      'fails, attempt 1: error',
      'fails, attempt 2: error',
      'fails, attempt 3: error',
      'works, attempt 1: success',
    ]);
    const startedAt = executions.filter(({ status }) => status === 'error').map((e) => Date.parse(e.startedAt));
    console.log(`attempts at ${startedAt.map((at) => at - (startedAt[0] ?? 0))} ms`);

    const { items } = await rig.relay.cli<{ items: unknown[] }>('dead-letters', '--reveal');
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).toContain('no such customer in the CRM');

    // The trigger goes on; and when the workflow is repaired, the dead letter is sent again from the command line.
    isRepaired = true;
    await rig.relay.cli('replay', '--all');
    const all = await rig.ended(workflow, 5);
    expect(all.at(-1)).toMatchObject({ status: 'success' });
    expect(itemsOf(all.at(-1), TRIGGER)[0]?.json).toMatchObject({ text: 'fails' });
    expect(await rig.relay.cli('dead-letters')).toMatchObject({ items: [] });
    await rig.n8n.client.deactivate(workflow);
  });
});

describe('nobody is answered twice by accident', () => {
  const bot = (name: string, options = {}) =>
    workflowOf(
      name,
      clickrelayTrigger({ events: ['moText'] }),
      clickatell('Reply', { operation: 'reply', text: 'Thanks', options }),
    );

  it('a workflow that is run by hand sends nothing, and its item says so; with the switch it sends', async () => {
    const before = rig.clickatell.requests('/v1/message').length;
    const workflow = await rig.addWorkflow(bot('by hand'));
    await rig.n8n.client.runManually(workflow, TRIGGER);
    const [execution] = await rig.ended(workflow, 1);
    expect(itemsOf(execution, 'Reply')[0]?.json).toMatchObject({ accepted: false, held: 'test event' });
    expect(rig.clickatell.requests('/v1/message')).toHaveLength(before);
    await rig.n8n.client.deactivate(workflow);

    const allowed = await rig.addWorkflow(bot('by hand, allowed', { sendInTests: true }));
    await rig.n8n.client.runManually(allowed, TRIGGER);
    const [sent] = await rig.ended(allowed, 1);
    expect(itemsOf(sent, 'Reply')[0]?.json).toMatchObject({ accepted: true });
    expect(rig.clickatell.requests('/v1/message')).toHaveLength(before + 1);
    await rig.n8n.client.deactivate(allowed);
  });
});

describe('"listen for test event" while the workflow is active', () => {
  it('shows an event, and takes none from production', async () => {
    const workflow = await rig.addWorkflow(workflowOf('tested', clickrelayTrigger({ events: ['moText'] })));
    const texts = Array.from({ length: 6 }, (_, index) => `event ${index}`);
    for (const [index, content] of texts.entries()) {
      if (index === 2) await rig.n8n.client.runManually(workflow, TRIGGER);
      await rig.relay.post(sampleCallback('moText', { content }));
    }
    const executions = await rig.ended(workflow, 7);
    const seen = (mode: string) =>
      executions
        .filter((execution) => execution.mode === mode)
        .map((execution) => itemsOf(execution, TRIGGER)[0]?.json);
    expect(seen('manual')).toMatchObject([{ test: true, type: 'moText' }]);
    expect(
      seen('trigger')
        .map((json) => json?.['text'])
        .sort(),
    ).toEqual(texts);
    await rig.n8n.client.deactivate(workflow);
  });
});

describe('media', () => {
  it('are downloaded as binary data: by their link, and those that came inside of the callback', async () => {
    const { contentType, downloadUrl, sha256Hash, bytes, fileName } = rig.clickatell.file;
    const inline = randomBytes(2_000);
    const workflow = await rig.addWorkflow(
      workflowOf(
        'media',
        clickrelayTrigger({ events: ['moMedia'] }),
        clickatell('Download', { resource: 'media', operation: 'download' }),
      ),
    );
    const byLink = freshCopy(samples.odd.mediaByReference);
    const [element] = byLink.event['moMedia'] as [Record<string, unknown>];
    element['files'] = [{ contentType, downloadUrl, sha256Hash, byteSize: bytes.length, fileName }];
    await rig.relay.post(byLink);
    await rig.relay.post(sampleCallback('moMedia', { content: inline.toString('base64'), contentType: 'image/png' }));

    const executions = await rig.ended(workflow, 2);
    expect(executions.map(({ status }) => status)).toEqual(['success', 'success']);
    const downloaded = await Promise.all(
      executions.map(async (execution) => {
        const [binary] = Object.values(itemsOf(execution, 'Download')[0]?.binary ?? {});
        return { mimeType: binary?.['mimeType'], bytes: await rig.n8n.client.binary(binary) };
      }),
    );
    expect(downloaded).toContainEqual({ mimeType: 'image/jpeg', bytes });
    expect(downloaded).toContainEqual({ mimeType: 'image/png', bytes: inline });
    await rig.n8n.client.deactivate(workflow);
  });
});

describe('the webhook trigger, for those without Clickrelay', () => {
  it('refuses a request without the secret, and starts a workflow for one with it', async () => {
    const workflow = await rig.addWorkflow(
      workflowOf('direct', webhookTrigger('direct-callbacks', { events: ['mo*'] })),
    );
    const url = `${rig.n8n.url}/webhook/direct-callbacks/callback`;
    const post = (query: string) =>
      fetch(`${url}${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(samples.byType.moText),
      });
    expect((await post('')).status).toBe(401);
    expect((await post('?token=wrong')).status).toBe(401);
    const answer = await post(`?token=${rig.secrets.clickatellApi['callbackSecret']}`);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1 }]);
    const [execution] = await rig.ended(workflow, 1);
    expect(itemsOf(execution, 'Clickatell Webhook Trigger')[0]?.json).toMatchObject({
      type: 'moText',
      text: 'Text Content of the reply message',
    });
    await rig.n8n.client.deactivate(workflow);
  });
});
