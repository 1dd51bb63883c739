import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@clickrelay/service/machine';
import { samples } from '@clickrelay/simulator';
import { type Destination, startDestination } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sampleNames } from '../src/commands/send/send-callbacks.ts';
import { runCli } from './run-cli.ts';

let dataDir: string;
let receiver: Destination;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  await writeFile(join(dataDir, 'secrets.json'), '{"callbackAuth":"query:k%2Cpt&"}');
});
afterAll(() => rm(dataDir, { recursive: true }));
beforeEach(async () => {
  receiver = await startDestination({ answer: () => ({ status: 200, body: '{"accepted":1}' }) });
});
afterEach(() => receiver.close());

const send = (...args: string[]) => runCli(['send', ...args], { DATA_DIR: dataDir, PORT: String(receiver.port) });
const elements = () =>
  receiver.requests.flatMap(({ body }) => Object.values(JSON.parse(body).event).flat() as { messageId: string }[]);

test('a sample goes to the receiver on this machine as a new event, with the credential kept here', async () => {
  const { code, stdout } = await send('moText');
  expect([code, stdout.replace(/[\d.]+ ms/, 'n ms')]).toEqual([0, 'moText: 200 {"accepted":1} in n ms\n']);
  expect(receiver.requests[0]?.path).toBe('/client-callback/one-api-reply?token=k%2Cpt%26');
  expect(elements()[0]?.messageId).not.toBe('3a89680503414383af44dcd0e4e5f184');
});

test('the newest credential that was made goes with it, unless it has ended', async () => {
  const file = join(dataDir, 'credentials.json');
  await writeFile(file, JSON.stringify({ made: ['query:new'], ends: {} }));
  await send('moText');
  await writeFile(file, JSON.stringify({ made: ['query:new'], ends: { [hash('sha256', 'new')]: '2026-01-01' } }));
  await send('moText');
  await rm(file);
  const tokens = receiver.requests.map(({ path }) => path.split('?')[1]);
  expect(tokens).toEqual(['token=new', 'token=k%2Cpt%26']);
});

test('--exact sends the documented bytes', async () => {
  await send('status', '--exact');
  expect(receiver.requests[0]).toMatchObject({
    path: '/client-callback/one-api-status?token=k%2Cpt%26',
    body: JSON.stringify(samples.status),
  });
});

test('a file is sent byte for byte, readable or not; several copies of it are different events', async () => {
  const file = join(dataDir, 'callback.json');
  await writeFile(file, '{ "event": ');
  await send(file);
  expect(receiver.requests[0]?.body).toBe('{ "event": ');
  await writeFile(file, JSON.stringify(samples.status));
  await send(file, '--count', '3');
  expect(new Set(receiver.requests.slice(1).map(({ body }) => body)).size).toBe(3);
});

test('many callbacks end in a summary, as text or JSON', async () => {
  const { code, stdout } = await send(
    'moText',
    '--count',
    '50',
    '--duplicate',
    '0.5',
    '--shuffle',
    '5',
    '--rate',
    '1000',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^sent {6}\d+ callbacks in [\d.]+ s, \d+ a second\naccepted {2}\d+, p50 [\d.]+ ms, p99 [\d.]+ ms\nresent {4}0\nlost {6}0\nanswers {3}200: \d+\n$/,
  );
  expect(receiver.requests.length).toBeGreaterThan(55);
  expect(new Set(elements().map(({ messageId }) => messageId)).size).toBe(50);
  const report = JSON.parse((await send('moText', '--count', '21', '--json')).stdout);
  expect(report).toMatchObject({ sent: 21, accepted: 21, resent: 0, lost: 0, statuses: { 200: 21 } });
});

test('all sends one of each sample', async () => {
  const { stdout } = await send('all');
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(':')[0]);
  expect(names).toEqual(
    [...sampleNames.documented, ...sampleNames.odd].filter((name) => !['reply', 'status'].includes(name)),
  );
  const help = (await runCli(['send', '--help'])).stdout.split('Samples: ')[1]?.split(/[,;:\s]+/);
  expect(help).toEqual(expect.arrayContaining([...sampleNames.documented, ...sampleNames.odd]));
});

test('a refused callback is sent again, and in the end lost, with exit code 1 and a hint', async () => {
  receiver.answerWith(() => ({ status: 401, body: '{"error":{}}' }));
  const { code, stdout } = await send('moText', '--tries', '2', '--auth', 'basic:u:p');
  expect([code, stdout.replace(/[\d.]+ ms/, 'n ms')]).toEqual([
    1,
    'moText: 401 {"error":{}} in n ms, after 2 tries\n401: the receiver does not know the credential that --auth gives\n',
  ]);
  expect(receiver.requests[0]?.headers.authorization).toBe('Basic dTpw');
  expect(receiver.requests[0]?.path).toBe('/client-callback/one-api-reply');
});

test('a redirect is reported as the loss that it is', async () => {
  receiver.answerWith(301);
  const { code, stdout } = await send('moText');
  expect(code).toBe(1);
  expect(stdout).toContain('301  (a redirect: Clickatell would lose this callback)');
});

test('errors say that nothing answers, that a sample is unknown, and that a number is wrong', async () => {
  const port = await freePort();
  const nobody = await runCli(['send', 'moText', '--tries', '1'], {
    DATA_DIR: dataDir,
    PORT: String(port),
    CLICKRELAY_COMMAND: './clickrelay',
  });
  expect(nobody).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: nothing answers at http://127.0.0.1:${port}: start clickrelay with \`./clickrelay start\`, or give --url\n`,
  });
  const unknown = await send('moNothing');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringMatching(/^error: no sample and no file is named moNothing; samples: all, reply, /),
  ]);
  const bad = await send('moText', '--duplicate', '2', '--json');
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('It must be a number from 0 to 1.')]);
});

test('the credential kept here is not sent to another host', async () => {
  const other = await send('moText', '--tries', '1', '--url', 'http://clickrelay.invalid/client-callback');
  expect(other.code).toBe(1);
  expect(other.stdout).not.toContain('kpt');
  await send('moText', '--url', `${receiver.url}one-api-reply?token=other`);
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/one-api-reply?token=other']);
});
