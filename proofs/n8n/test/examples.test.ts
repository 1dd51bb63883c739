import { mkdir, readdir, readFile } from 'node:fs/promises';
import { freshCopy, sampleCallback, samples } from '@clickrelay/simulator';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { exampleNames, readExample } from '../src/examples.ts';
import type { WorkflowDefinition } from '../src/n8n-client.ts';
import { type Rig, startRig } from '../src/rig.ts';

// The workflows of examples/n8n as they are in the repository. Only what their notes tell a person to set is set.

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ tarball: inject('tarball') });
});
afterAll(() => rig?.stop());

/** Messages that Clickatell got since the last look. */
let seen = 0;
const sent = (): Record<string, unknown>[] => {
  const requests = rig.clickatell.requests('/v1/message').slice(seen);
  seen += requests.length;
  return requests.flatMap(({ body }) => (JSON.parse(body) as { messages: Record<string, unknown>[] }).messages);
};

it('has a test for each', async () => {
  expect((await exampleNames()).sort()).toEqual(['auto-reply-bot', 'escalate-failed-delivery', 'save-inbound-media']);
});

it('auto-reply-bot answers questions about the hours, and promises an answer to all others', async () => {
  const workflow = await rig.addWorkflow(await readExample('auto-reply-bot'));
  const [from, to] = ['27829990001', '27829990002'];
  const message = { channel: 'whatsapp', from, to, whatsapp: { profileName: 'Thandi' } };
  await rig.relay.post(sampleCallback('moText', { ...message, content: 'When do you OPEN on Monday?' }));
  await rig.ended(workflow, 1);
  await rig.relay.post(sampleCallback('moText', { ...message, content: 'My parcel is broken' }));
  const executions = await rig.ended(workflow, 2);
  expect(executions.map(({ status }) => status)).toEqual(['success', 'success']);
  expect(sent()).toMatchObject([
    { channel: 'whatsapp', to: from, content: 'Hello Thandi, we are open Monday to Friday, 9:00 to 17:00.' },
    { channel: 'whatsapp', to: from, content: 'Thank you for your message. One of us will answer you shortly.' },
  ]);
  await rig.n8n.client.deactivate(workflow);
});

it('escalate-failed-delivery tells the person on duty, and does not escalate its own failures', async () => {
  const workflow = await rig.addWorkflow(await readExample('escalate-failed-delivery'));
  const failed = { statusCode: 23, status: 'DELIVERY_FAILURE' };
  await rig.relay.post(sampleCallback('messageStatusUpdate', { ...failed, clientMessageId: 'order-1042' }));
  const [first] = await rig.ended(workflow, 1);
  expect(first).toMatchObject({ status: 'success' });
  const [message, ...more] = sent();
  expect(more).toEqual([]);
  expect(message).toMatchObject({
    channel: 'sms',
    to: '27000000000',
    content: 'Message order-1042 was not delivered: DELIVERY_FAILURE',
  });

  const { clientMessageId } = message as Record<string, unknown>;
  await rig.relay.post(sampleCallback('messageStatusUpdate', { ...failed, clientMessageId }));
  const [, second] = await rig.ended(workflow, 2);
  expect(second).toMatchObject({ status: 'success' });
  expect(sent()).toEqual([]);
  await rig.n8n.client.deactivate(workflow);
});

it('save-inbound-media writes what came by link into a folder', async () => {
  const example = await readExample('save-inbound-media');
  const folder = rig.n8n.filesFolder;
  await mkdir(folder, { recursive: true });
  const workflow = await rig.addWorkflow(inFolder(example, folder));
  const { bytes, contentType, downloadUrl, sha256Hash, fileName } = rig.clickatell.file;
  const callback = freshCopy(samples.odd.mediaByReference);
  const [element] = callback.event['moMedia'] as [Record<string, unknown>];
  element['files'] = [{ contentType, downloadUrl, sha256Hash, byteSize: bytes.length, fileName }];
  await rig.relay.post(callback);
  const [execution] = await rig.ended(workflow, 1);
  expect(execution?.data.resultData.error).toBeUndefined();

  const [file, ...more] = await readdir(folder);
  expect(more).toEqual([]);
  expect(file).toMatch(/^evt_\S+-[0-9a-f]{8}\.jpe?g$/);
  expect(await readFile(`${folder}/${file}`)).toEqual(bytes);
  await rig.n8n.client.deactivate(workflow);
});

const inFolder = (example: WorkflowDefinition, folder: string): WorkflowDefinition =>
  JSON.parse(JSON.stringify(example).replaceAll('/home/node/.n8n-files', folder));
