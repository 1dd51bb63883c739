import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import { startDestination, startProgram, waitUntil } from '@clickrelay/testkit';
import { afterEach, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const APPS = join(import.meta.dirname, '../..');

const atEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

/** Installs what is built of each program, and nothing of what it was built from. */
const installPrograms = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-bundles-'));
  atEnd.push(() => rm(folder, { recursive: true, force: true }));
  for (const program of ['cli', 'receiver', 'worker', 'api']) {
    for (const part of ['package.json', 'dist']) {
      await cp(join(APPS, program, part), join(folder, 'node_modules/@clickrelay', program, part), { recursive: true });
    }
  }
  return folder;
};

const ADAPTER = `export default ({ z }) => ({
  type: 'told',
  config: z.object({ url: z.url() }),
  open: ({ url }) => ({
    deliver: async ({ event }) => ({ status: (await fetch(url, { method: 'POST', body: event.id })).status }),
    close: async () => {},
  }),
});`;

const listen = async () => {
  const server = await startDestination();
  atEnd.push(() => server.close());
  return server;
};

it('programs need no package beside them: threads, transforms, adapters and traces are in their bundles', async () => {
  const folder = await installPrograms();
  const [collector, crm, told, shop] = [await listen(), await listen(), await listen(), await listen()];
  await writeFile(join(folder, 'told.mjs'), ADAPTER);
  await writeFile(
    join(folder, 'destinations.json'),
    JSON.stringify({
      destinations: [
        { id: 'crm', type: 'webhook', url: crm.url, transform: '{ "kind": type }' },
        { id: 'told', type: 'told', url: told.url },
      ],
    }),
  );
  const port = await freePort();
  const environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(port),
    API_PORT: String(await freePort()),
    DESTINATIONS_FILE: join(folder, 'destinations.json'),
    ADAPTERS: './told.mjs',
    CALLBACK_AUTH: 'none',
    EGRESS_ALLOW: '127.0.0.0/8',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace(/\/$/, ''),
  };
  const program = await startProgram({
    args: [join(folder, 'node_modules/@clickrelay/cli/dist/main.js'), 'start'],
    env: environment,
    cwd: folder,
    readyOutput: /Mend/,
  });
  atEnd.push(() => program.stop());

  // The longer one is parsed and split on threads.
  for (const length of [10, 1.5 * 1024 * 1024]) {
    const response = await fetch(`http://127.0.0.1:${port}/client-callback/one-api-reply`, {
      method: 'POST',
      body: JSON.stringify(sampleCallback('moText', { content: 'x'.repeat(length) })),
    });
    expect(response.status).toBe(200);
  }
  expect((await crm.waitFor(2)).map(({ body }) => body)).toEqual(['{"kind":"moText"}', '{"kind":"moText"}']);
  await told.waitFor(2);
  await waitUntil(() => collector.requests.length > 0, { what: 'spans' });
  // The API checks a transform, and runs it for a test.
  for (const command of [
    ['destinations', 'add', 'shop', '--url', shop.url, '--transform', '{ "kind": type }'],
    ['destinations', 'test', 'shop'],
    ['ledger'],
  ]) {
    const { code, stdout, stderr } = await runCli(command, environment);
    expect(code, stdout + stderr).toBe(0);
  }
  expect(shop.requests.map(({ body }) => body)).toEqual(['{"kind":"moText"}']);
  const page = await fetch(`http://127.0.0.1:${environment.API_PORT}/`, { headers: { accept: 'text/html' } });
  expect(await page.text()).toMatch('<!doctype html>');
  expect(await program.stop()).toEqual({ code: 0, signal: null });
});
