import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { samples } from '@clickrelay/simulator';
import {
  type Destination,
  type DestinationAnswer,
  type Program,
  startDestination,
  waitUntil,
} from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli, startCli } from './run-cli.ts';

// The real parts, built and started as users do, from the command or curl to the destination.

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

let folder: string;
let environment: Record<string, string>;
let program: Program | undefined;
const destinations: Destination[] = [];

const makeFolder = async (): Promise<void> => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    DESTINATIONS_FILE: join(folder, 'destinations.yaml'),
    EGRESS_ALLOW: '127.0.0.0/8',
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
  };
};
const endAll = async (): Promise<void> => {
  await program?.stop();
  program = undefined;
  for (const destination of destinations.splice(0)) await destination.close();
  // A killed `start` leaves its Redis for the next one to take over, but here there is no next one.
  await killAll();
  await rm(folder, { recursive: true });
};

const declare = async (answer: DestinationAnswer = 200): Promise<Destination> => {
  const destination = await startDestination({ answer });
  destinations.push(destination);
  await writeFile(
    join(folder, 'destinations.yaml'),
    `destinations:\n  - { id: crm, type: webhook, url: "${destination.url}/hook", secret: "${SECRET}" }\n`,
  );
  return destination;
};

const start = async (more: Record<string, string> = {}): Promise<void> => {
  environment = { ...environment, ...more };
  program = await startCli(['start'], environment, { readyOutput: /Mend/ });
};

const cli = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCli([...args, '--json'], environment);
  expect(code, stderr).toBe(0);
  return stdout === '' ? undefined : JSON.parse(stdout);
};

/** Posts to one of the URLs for its portal, as Clickatell would. Without a terminal `start` does not print them. */
const post = async (kind: 'replies' | 'statuses', body: string): Promise<{ status: number; body: unknown }> => {
  const url: string = (await cli('setup', '--reveal')).callbackUrls.local[kind];
  const response = await fetch(url.replace('localhost', '127.0.0.1'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return { status: response.status, body: await response.json() };
};

const readRun = async (): Promise<{ pid: number; pids: Record<string, number> }> =>
  JSON.parse(await readFile(join(environment['DATA_DIR'] as string, 'run.json'), 'utf8'));

const killAll = async (): Promise<void> => {
  const run = await readRun().catch(() => undefined);
  if (run === undefined) return;
  for (const pid of [run.pid, ...Object.values(run.pids)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
};

/** Starts again with a destination that now takes everything, and waits until it has that many different events. */
const startAndDeliver = async (destination: Destination, count: number): Promise<void> => {
  const delivered = new Set<unknown>();
  destination.answerWith(({ headers }) => {
    delivered.add(headers['webhook-id']);
    return 200;
  });
  await start();
  await waitUntil(() => delivered.size === count, { timeoutMs: 90_000, what: `all ${count} events after the restart` });
};

const verified = ({ body, headers }: Destination['requests'][number]): { id: string; raw: unknown } =>
  new Webhook(SECRET).verify(body, headers as Record<string, string>) as { id: string; raw: unknown };

// In this order: the first looks at a Clickrelay that has seen nothing, the last one stops it.
describe('one `clickrelay start`', () => {
  let crm: Destination;
  beforeAll(async () => {
    await makeFolder();
    crm = await declare();
    await start({ RETRY_SCHEDULE: '0s,10ms,10ms,10ms,10ms,10ms,10ms,10ms,10ms,10ms' });
  });
  afterAll(endAll);
  beforeEach(() => {
    crm.requests.length = 0;
  });

  it('shows what to enter at Clickatell, and sends a test callback all the way without keeping it', async () => {
    await waitUntil(async () => (await cli('setup')).receivers.length === 1, { timeoutMs: 20_000 });
    const { callbackUrls, receivers, problems } = await cli('setup');
    expect(callbackUrls.local.replies).toMatch(/one-api-reply\?token=\(hidden\)$/);
    expect(receivers).toMatchObject([{ readiness: { ready: true, durability: 'always' }, spool: { records: 0 } }]);
    expect(problems).toContainEqual(expect.objectContaining({ code: 'no_public_url' }));
    const result = await cli('setup', '--test');
    expect(result).toMatchObject({ ok: true, through: 'local', type: 'moText' });
    expect(result.steps.map(({ step }: { step: string }) => step)).toEqual([
      'resolved',
      'connected',
      'answered',
      'committed',
      'split',
    ]);
    expect((await cli('events')).items).toEqual([]);
    expect((await cli('ledger')).intake.messages).toEqual({ callbacks: 0, events: 0, repeats: 0 });
  });

  it('answers 200 to a body that is not a callback, and shows it in quarantine', async () => {
    const answer = await post('replies', 'hello, I am no JSON');
    expect(answer).toEqual({ status: 200, body: { accepted: 0, quarantined: expect.stringMatching(/^qrt_/) } });
    const { items } = await cli('quarantine');
    expect(items).toEqual([
      expect.objectContaining({ id: (answer.body as { quarantined: string }).quarantined, bytes: 19 }),
    ]);
    const shown = await cli('quarantine', 'show', items[0].id, '--reveal');
    expect(shown.body.text).toBe('hello, I am no JSON');
  });

  it("delivers Clickatell's two samples as nine signed events, and none when they come again", async () => {
    expect(await post('replies', JSON.stringify(samples.reply))).toEqual({ status: 200, body: { accepted: 8 } });
    expect(await post('statuses', JSON.stringify(samples.status))).toEqual({ status: 200, body: { accepted: 1 } });
    const events = (await crm.waitFor(9)).map(verified);
    const elements = [samples.reply, samples.status].flatMap(({ event }) => Object.values(event).flat());
    for (const element of elements) expect(events).toContainEqual(expect.objectContaining({ raw: element }));

    // The other path takes them as well.
    expect((await post('statuses', JSON.stringify(samples.reply))).body).toEqual({ accepted: 8 });
    expect((await post('replies', JSON.stringify(samples.status))).body).toEqual({ accepted: 1 });
    await cli('send', 'moText');
    await crm.waitFor(10);
    expect(crm.requests).toHaveLength(10);
    expect((await cli('events', '--limit', '20')).items).toHaveLength(10);
  });

  it('makes a dead letter after ten answers of 500, and a replay delivers it', async () => {
    crm.answerWith(500);
    await cli('send', 'moText');
    const { deliveryId } = await waitUntil(async () => (await cli('dead-letters')).items[0]);
    expect(crm.requests).toHaveLength(10);

    crm.answerWith(200);
    await cli('replay', deliveryId);
    const [, , , , , , , , , , last] = await crm.waitFor(11);
    expect(verified(last as Destination['requests'][number]).id).toBe(crm.requests[0]?.headers['webhook-id']);
    await waitUntil(async () => (await cli('dead-letters')).items.length === 0);
  });

  it('delivers each callback once, although the sender repeats them and mixes their order', async () => {
    const sent = await cli('send', 'moText', '--count', '200', '--duplicate', '0.5', '--shuffle', '20');
    expect(sent.lost).toBe(0);
    await crm.waitFor(200);
    expect(await program?.stop()).toEqual({ code: 0, signal: null });
    expect(new Set(crm.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(200);
    expect(crm.requests).toHaveLength(200);
  });
});

describe('clickrelay start', () => {
  beforeEach(makeFolder);
  afterEach(endAll);

  it('makes its credentials on first use, keeps them private and uses them again', async () => {
    await declare();
    await start();
    const [url] = /http\S+one-api-reply\S+/.exec(program?.stdout() ?? '') ?? [];
    const secrets = await stat(join(environment['DATA_DIR'] as string, 'secrets.json'));
    expect(secrets.mode & 0o777).toBe(0o600);
    const wrong = await fetch(`http://127.0.0.1:${environment['PORT']}/client-callback/one-api-reply?token=wrong`, {
      method: 'POST',
      body: JSON.stringify(samples.status),
    });
    expect(wrong.status).toBe(401);
    await program?.stop();
    await start();
    expect(program?.stdout()).toContain(url);
  });

  it('delivers what was acknowledged but not delivered before everything was killed', async () => {
    const crm = await declare(503);
    await start({ RETRY_SCHEDULE: '0s,100ms,2s,2s,2s,2s,2s,2s,2s,2s' });
    const sent = await cli('send', 'moText', '--count', '100');
    expect(sent.accepted).toBe(100);
    await crm.waitFor(10);
    await killAll();
    await program?.stop();

    await startAndDeliver(crm, 100);
  });

  it('delivers what was being delivered when everything was killed', async () => {
    const crm = await declare('hang');
    await start();
    expect((await cli('send', 'moText', '--count', '50')).accepted).toBe(50);
    await crm.waitFor(20);
    await killAll();
    await program?.stop();

    await startAndDeliver(crm, 50);
  });

  it('runs a receiver alone only with CALLBACK_AUTH, and says how to set it', async () => {
    const refused = await startCli(['start', '--roles', 'receiver'], environment);
    expect((await refused.exited).code).not.toBe(0);
    expect(refused.stderr()).toMatch(/CALLBACK_AUTH is empty; set at least one credential/);
  });
});
