import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enqueueDeliveries } from '@clickrelay/queue';
import { startProgram, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, logEvent, startApi } from './start-api.ts';

const page = new URL('../../../docs/leases.md', import.meta.url);

let api: Api;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-consumer-'));
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

it.each([
  ...(hasPython ? [['python', 'consumer.py', 'python3'] as const] : []),
  ['js', 'consumer.mjs', undefined] as const,
])('the documented consumer in %s works, and says why when it fails', async (lang, name, command) => {
  const code = new RegExp(`^\`\`\`${lang}$(.*?)^\`\`\`$`, 'ms').exec(await readFile(page, 'utf8'))?.[1] ?? '';
  expect(code).toContain('nack');
  await api.call('PUT', '/v1/destinations/support-bot', { type: 'pull' });
  const { key } = (
    await api.call('POST', '/v1/keys', { name: 'bot', scopes: ['lease'], destinations: ['support-bot'] })
  ).body;
  const file = join(folder, name);
  // The second event fails once.
  await writeFile(
    file,
    lang === 'python'
      ? code.replace(
          'def work(event):',
          'def work(event):\n    if event["data"].get("text") == "bad": raise ValueError("no such customer")',
        )
      : code.replace(
          '=> console.log(',
          "=> event.data.text === 'bad' ? Promise.reject('no such customer') : console.log(",
        ),
  );
  const ids: string[] = [];
  for (const content of ['good', 'bad']) {
    const { event } = await logEvent(api.store, 'moText', { content });
    await enqueueDeliveries(api.store, 'support-bot', [{ eventId: event.id }]);
    ids.push(`dlv_support-bot_${event.id.slice(4)}`);
  }
  const program = await startProgram({
    ...(command && { command }),
    args: [file],
    env: { API: api.url, KEY: key },
    readyOutput: /moText good/,
  });
  try {
    const delivery = async (id = '') => (await api.call('GET', `/v1/deliveries/${id}`)).body;
    await waitUntil(async () => (await delivery(ids[1])).attempts.length === 1);
    expect(await delivery(ids[0])).toMatchObject({ state: 'delivered' });
    expect((await delivery(ids[1])).attempts[0].error).toMatchObject({
      code: 'nacked',
      message: expect.stringContaining('no such customer'),
    });
  } finally {
    await program.stop('SIGKILL');
  }
});
