import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort, type Program, startDestination } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, test } from 'vitest';
import { runCli, startCli } from './run-cli.ts';

// The real parts, as they are built: from the command to the destination.
let program: Program | undefined;
let folder: string | undefined;
afterEach(async () => {
  await program?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

test('what is sent to a running Clickrelay is delivered, signed, once', async () => {
  const destination = await startDestination();
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  await writeFile(
    join(folder, 'destinations.yaml'),
    `destinations:\n  - { id: crm, type: webhook, url: "${destination.url}", secret: "${secret}", events: ["mo*"] }\n`,
  );
  const env = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    CALLBACK_AUTH: 'query:s3cret',
    DESTINATIONS_FILE: join(folder, 'destinations.yaml'),
    EGRESS_ALLOW: '127.0.0.0/8',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
  };
  program = await startCli(['start', '--roles', 'receiver,worker'], env, { readyOutput: /Mend/ });

  const sent = await runCli(
    ['send', 'moText', '--count', '30', '--duplicate', '0.5', '--shuffle', '10', '--json'],
    env,
  );
  const { sent: callbacks, accepted, lost } = JSON.parse(sent.stdout);
  expect([sent.code, accepted, lost]).toEqual([0, callbacks, 0]);
  expect((await runCli(['send', 'status'], env)).code).toBe(0);
  expect((await runCli(['send', 'batch'], env)).code).toBe(0);

  const requests = await destination.waitFor(33);
  const events = requests.map(({ body, headers }) => {
    const event = new Webhook(secret).verify(body, headers as Record<string, string>) as { id: string; type: string };
    expect(headers['webhook-id']).toBe(event.id);
    return event;
  });
  expect(new Set(events.map(({ id }) => id)).size).toBe(33);
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['moText']));
  expect(await program.stop()).toEqual({ code: 0, signal: null });
  expect(destination.requests.length).toBe(33);
  await destination.close();
});
