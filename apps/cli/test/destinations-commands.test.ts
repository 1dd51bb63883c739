import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';
import { useScriptedApi } from './use-scripted-api.ts';

const { answers, api, asked, cli, dataDir, env } = useScriptedApi();

test('the secret of a destination is printed alone, or several one to a line', async () => {
  answers['GET /v1/destinations/crm/secret'] = {
    id: 'crm',
    secrets: [{ secret: 'whsec_a', until: null }],
  };
  expect((await cli('destinations', 'secret', 'crm')).stdout).toBe('whsec_a\n');
  const both = {
    id: 'crm',
    secrets: [
      { secret: 'whsec_b', until: null },
      { secret: 'whsec_a', until: '2026-12-01T00:00:00Z' },
    ],
  };
  answers['GET /v1/destinations/crm/secret'] = both;
  expect((await cli('destinations', 'secret', 'crm')).stdout).toBe('whsec_b\nwhsec_a\n');
  expect(JSON.parse((await cli('destinations', 'secret', 'crm', '--json')).stdout)).toEqual(both);
});

test('destinations are added, with a new secret shown, listed, paused, resumed and removed', async () => {
  const crm = {
    id: 'crm',
    type: 'webhook',
    events: ['mo*'],
    paused: null,
    held: null,
    url: 'https://crm.example.com/',
  };
  answers['PUT /v1/destinations/crm?onlyNew=true'] = { ...crm, secret: 'whsec_abc', warnings: ['moNew is unknown'] };
  answers['GET /v1/destinations?limit=500'] = { items: [crm], next: null };
  answers['POST /v1/destinations/crm/pause'] = crm;
  answers['POST /v1/destinations/crm/resume'] = crm;
  answers['DELETE /v1/destinations/crm?expected=0'] = {};
  const added = await cli('destinations', 'add', 'crm', '--url', 'https://crm.example.com/', '--events', 'mo*, x');
  expect(added.stdout).toBe('crm (webhook) gets mo* from now on\nits secret: whsec_abc\nwarning: moNew is unknown\n');
  answers['PUT /v1/destinations/old?onlyNew=false'] = { ...crm, secret: '(hidden)', warnings: [] };
  expect((await cli('destinations', 'add', 'old', '--url', 'https://crm.example.com/', '--replace')).stdout).toBe(
    'old (webhook) gets mo* from now on\nits secret has not changed; `clickrelay destinations secret old` shows it\n',
  );
  expect((await cli('destinations')).stdout).toBe(
    'DESTINATION  TYPE     EVENTS  STATE   URL\ncrm          webhook  mo*     active  https://crm.example.com/\n',
  );
  await cli('destinations', 'pause', 'crm', '--reason', 'moving');
  await cli('destinations', 'resume', 'crm');
  expect((await cli('destinations', 'remove', 'crm')).stdout).toBe('crm is removed\n');
  expect(asked()).toEqual([
    'PUT /v1/destinations/crm?onlyNew=true {"type":"webhook","url":"https://crm.example.com/","events":["mo*","x"]}',
    'PUT /v1/destinations/old?onlyNew=false {"type":"webhook","url":"https://crm.example.com/"}',
    'GET /v1/destinations?limit=500',
    'POST /v1/destinations/crm/pause {"reason":"moving"}',
    'POST /v1/destinations/crm/resume',
    'DELETE /v1/destinations/crm?expected=0',
  ]);
  expect((await cli('destinations', 'add', 'crm')).code).toBe(2);
});

test('one that is there is not replaced unawares, and changes setting by setting', async () => {
  const issues = [{ path: 'transform', message: 'is another one there' }];
  const error = { code: 'destination_exists', message: 'a destination crm is there already', issues };
  api.answerWith(() => ({ status: 409, body: JSON.stringify({ error }) }));
  const refused = await cli('destinations', 'add', 'crm', '--url', 'https://crm.example.com/');
  expect([refused.code, refused.stderr]).toEqual([
    4,
    'error: a destination crm is there already\n  transform: is another one there\n' +
      'change single settings with `clickrelay destinations update crm`, or replace them all with --replace\n',
  ]);
  api.answerWith(() => ({ status: 200, body: '{"warnings":[]}' }));
  const options = ['--timeout-ms', '500', '--clear', 'filter,rate', '--header', 'x-a=b', '--header', 'X-Old='];
  expect((await cli('destinations', 'update', 'crm', ...options)).stdout).toBe(
    'crm is changed: timeoutMs, headers, filter, rate\n',
  );
  expect(asked()[1]).toBe(
    'PATCH /v1/destinations/crm {"timeoutMs":500,"headers":{"x-a":"b","X-Old":null},"filter":null,"rate":null}',
  );
  expect((await cli('destinations', 'update', 'crm')).code).toBe(2);
});

test('without a terminal, a removal that loses something needs the number, or --yes', async () => {
  const message = '9 pending deliveries and 5 dead letters would be lost with crm';
  api.answerWith(() => ({ status: 409, body: JSON.stringify({ error: { code: 'unexpected_count', message } }) }));
  const refused = await cli('destinations', 'remove', 'crm');
  expect([refused.code, refused.stderr]).toEqual([
    4,
    `error: ${message}\nwith this command: --expected <that number>, or --yes\n`,
  ]);
  api.answerWith(() => ({ status: 204 }));
  await cli('destinations', 'remove', 'crm', '--expected', '14');
  await cli('destinations', 'remove', 'crm', '--yes');
  expect(asked()).toEqual([
    'DELETE /v1/destinations/crm?expected=0',
    'DELETE /v1/destinations/crm?expected=14',
    `DELETE /v1/destinations/crm?expected=${Number.MAX_SAFE_INTEGER}`,
  ]);
});

test('a destination is shown, gets a new secret, and is tested', async () => {
  answers['GET /v1/destinations/crm'] = {
    id: 'crm',
    type: 'webhook',
    events: ['mo*'],
    paused: null,
    held: null,
    secret: '(hidden)',
    timeoutMs: 15000,
  };
  const sum = {
    delivered: 1203,
    failed: 1,
    firstTry: 1203,
    p95Ms: 130,
    deliveredShare: 1203 / 1204,
    firstTryShare: 1,
  };
  answers['GET /v1/destinations/crm/hours'] = { items: [], sum };
  expect((await cli('destinations', 'show', 'crm')).stdout).toBe(
    'state      active\nlast 24h   1204 attempts, 99.91 % delivered, 100 % of those at first try, 95 % within 130 ms\nid         crm\ntype       webhook\nevents     mo*\nsecret     (hidden)\ntimeoutMs  15000\n',
  );
  answers['POST /v1/destinations/crm/rotate-secret'] = {
    secrets: [{ secret: 'whsec_n3w', until: null }],
    oldUntil: '2026-11-20T10:00:00.000Z',
  };
  expect((await cli('destinations', 'rotate-secret', 'crm', '--keep-old-for', '7d')).stdout).toBe(
    'crm is signed with whsec_n3w from now on\nthe old one signs too until 2026-11-20T10:00:00Z\n',
  );
  answers['POST /v1/destinations/crm/test'] = {
    delivered: false,
    status: 401,
    durationMs: 12,
    response: 'who are you?',
    error: { code: 'destination_rejected', message: 'crm.example.com answered 401' },
  };
  expect(await cli('destinations', 'test', 'crm', '--type', 'moMedia')).toMatchObject({
    code: 1,
    stdout: 'crm did not take a moMedia: crm.example.com answered 401 (after 12 ms)\n  | who are you?\n',
  });
  expect(asked()).toEqual([
    'GET /v1/destinations/crm',
    'GET /v1/destinations/crm/hours',
    'POST /v1/destinations/crm/rotate-secret {"keepOldFor":"7d"}',
    'POST /v1/destinations/crm/test {"type":"moMedia"}',
  ]);
});

test('a file is applied, and what will probably not work is told', async () => {
  const file = join(dataDir(), 'destinations.yaml');
  await writeFile(file, 'destinations: [{ id: team, type: pull }]');
  const item = { id: 'team', change: 'added', fields: [], madeSecret: false, warnings: ['rcs is unknown'] };
  answers['POST /v1/destinations/apply'] = { items: [item] };
  expect((await cli('destinations', 'apply', '-f', file)).stdout).toBe('team: added\nteam: warning: rcs is unknown\n');
});

test('a file with an invalid destination is refused with the reason', async () => {
  const file = join(dataDir(), 'destinations.yaml');
  await writeFile(file, 'destinations: [{ id: team, type: chat }]');
  const { code, stderr } = await cli('destinations', 'apply', '-f', file);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Expected 'webhook' | 'pull'")]);
  expect(stderr).not.toContain('    at ');
  const noAdapter = await runCli(['destinations', 'apply', '-f', file], { ...env(), ADAPTERS: './nothing.mjs' });
  expect(noAdapter.stderr).toContain('error: ADAPTERS: ./nothing.mjs is no adapter');
  expect(noAdapter.stderr).not.toContain('    at ');
});
