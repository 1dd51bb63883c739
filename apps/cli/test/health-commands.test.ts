import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';
import { condition, useScriptedApi } from './use-scripted-api.ts';

const { answers, api, asked, cli, env } = useScriptedApi();

const health = (...conditions: object[]) => ({ state: 'critical', checkedAt: '2026-11-30T10:12:00.000Z', conditions });
const unknown = (code: string, why: string) => ({
  ...condition,
  code,
  state: 'unknown',
  subject: { kind: 'relay', id: null },
  sentence: `cannot tell: ${why}`,
});
const lags = { ...condition, code: 'destination_lags', severity: 'warning', inhibitedBy: 'destination_failing' };
const status = {
  version: '0.0.0',
  durability: { durability: 'always', problems: [] },
  eventLogBytes: 1_048_576,
  ingest: { messages: 0, statuses: 0 },
  destinations: [{ id: 'crm', waiting: 9, delayed: 0, active: 0, deadLetters: 2 }],
};

const TOLD = [
  'one thing needs you',
  '',
  'CRITICAL  crm takes nothing; 371 deliveries wait',
  '          destination_failing crm, for 26 minutes',
  '          -> see what it answers: clickrelay destinations test crm',
  '          so also: destination_lags crm',
];

test('doctor of another machine tells what its API knows, and what cannot be seen from here', async () => {
  answers['GET /v1/health'] = health(condition, lags);
  // Leads to this machine too, and is no loopback address.
  const there = api.url.replace('127.0.0.1', '0.0.0.0').replace(/\/$/, '');
  const told = await runCli(['doctor'], { ...env(), API_URL: there, API_KEY: 'k3y', PORT: '1' });
  const { host } = new URL(there);
  expect([told.code, told.stdout]).toEqual([
    1,
    [
      ...TOLD,
      '',
      `fine: node ${process.version}; API at ${there} answers; it looked at 10:12:00Z`,
      `not seen from here: disks, DATA_DIR, ports, processes and logs of ${host}; run \`clickrelay doctor\` there`,
      '',
    ].join('\n'),
  ]);
  expect(asked()).toEqual(['GET /v1/health']);
});

test('status says what is wrong, and with --check its exit code does too', async () => {
  answers['GET /v1/status'] = status;
  answers['GET /v1/health'] = health(condition, lags);
  const { code, stdout } = await cli('status');
  expect(code).toBe(0);
  expect(stdout).toContain(`\n${TOLD.join('\n')}\n`);
  expect(JSON.parse((await cli('status', '--json')).stdout)).toMatchObject({ state: 'critical', conditions: [{}, {}] });
  const exits = async (...args: string[]) => (await cli('status', ...args)).code;
  expect([await exits('--check'), await exits('--fail-on', 'critical')]).toEqual([1, 1]);
  answers['GET /v1/health'] = health({ ...condition, severity: 'warning' });
  expect([await exits('--check'), await exits('--fail-on', 'critical')]).toEqual([1, 0]);
  answers['GET /v1/health'] = health({ ...condition, severity: 'info' });
  expect([await exits('--check'), await exits('--fail-on', 'info')]).toEqual([0, 1]);
  answers['GET /v1/health'] = health({ ...condition, state: 'pending' });
  expect([await exits('--check'), await exits('--fail-on', 'info')]).toEqual([0, 0]);
  answers['GET /v1/health'] = health({ ...condition, acknowledged: { by: 'ops', until: null, note: null } });
  expect(await exits('--check')).toBe(0);
  expect(await exits('--fail-on', 'bad')).toBe(2);
});

test('what cannot be told fails a check, and many for one reason are one line', async () => {
  answers['GET /v1/status'] = status;
  const why = 'this Redis refuses INFO';
  answers['GET /v1/health'] = health(unknown('redis_memory', why), unknown('redis_slow', why));
  const { code, stdout } = await cli('status', '--check');
  expect(code).toBe(1);
  expect(stdout).toContain(`nothing needs you as far as can be told

UNKNOWN   cannot tell redis_memory, redis_slow: this Redis refuses INFO
`);
});

test('what is acknowledged, worth knowing or only suspected comes behind what needs somebody', async () => {
  const until = '2026-11-30T12:00:00.000Z';
  answers['GET /v1/health'] = health(
    { ...condition, acknowledged: { by: 'ops', until } },
    {
      ...condition,
      code: 'strangers',
      severity: 'info',
      subject: { kind: 'relay', id: null },
      sentence: 'strangers call',
    },
    { ...condition, code: 'silence', state: 'pending' },
  );
  const { stdout } = await cli('health');
  expect(stdout.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
    'nothing needs you',
    '',
    'somebody knows of:',
    'CRITICAL  crm takes nothing; 371 deliveries wait',
    '',
    'worth knowing:',
    'INFO      strangers call',
    '',
    'seen, but not for long enough to say more: silence crm',
    '',
  ]);
  expect(stdout).toContain('destination_failing crm, for 26 minutes, ops knows until 2026-11-30T12:00:00Z\n');
});

test('health ack finds the condition by its code, and asks which when there are several', async () => {
  const bot = { ...condition, subject: { kind: 'destination', id: 'bot' } };
  answers['GET /v1/health'] = health(condition, bot);
  const acknowledged = { by: 'API_KEY', until: '2026-11-30T12:00:00.000Z', note: null };
  answers['POST /v1/health/acknowledge'] = { ...condition, acknowledged };
  const done = await cli('health', 'ack', 'destination_failing', 'crm', '--for', '2h');
  expect([done.code, done.stdout]).toEqual([0, 'destination_failing crm is known until 2026-11-30T12:00:00Z\n']);
  expect(asked().at(-1)).toBe(
    'POST /v1/health/acknowledge {"code":"destination_failing","subject":{"kind":"destination","id":"crm"},"for":"2h"}',
  );
  const which = await cli('health', 'ack', 'destination_failing');
  expect([which.code, which.stderr]).toEqual([
    2,
    'error: there are 2 destination_failing; say which: destination_failing crm, destination_failing bot\n',
  ]);
  expect((await cli('health', 'ack', 'silence')).code).toBe(3);
});
