import { expect, test } from 'vitest';
import { useScriptedApi } from './use-scripted-api.ts';

const { answers, asked, cli } = useScriptedApi();

const channel = {
  id: 'ops',
  type: 'slack',
  url: '(hidden)',
  severities: ['critical', 'warning'],
  codes: ['*'],
  groupWait: '30s',
  groupInterval: '5m',
  repeat: { critical: '4h', warning: '24h' },
  quiet: null,
  sendResolved: true,
  failing: null,
};

test('a channel is added with what the options say, and nothing else', async () => {
  answers['PUT /v1/alerts/channels/ops'] = { ...channel, codes: ['destination_*'], warnings: ['it may not work'] };
  const url = 'https://hooks.slack.example/canary';
  const quiet = ['--quiet', '22:00-07:00', '--quiet-days', 'mon,tue', '--time-zone', 'Africa/Johannesburg'];
  const given = ['--codes', 'destination_*,silence', '--repeat-warning', '12h', '--no-resolved'];
  expect(await cli('alerts', 'add', 'ops', '--type', 'slack', '--url', url, ...quiet, ...given)).toEqual({
    code: 0,
    stdout: [
      'ops (slack) is told critical and warning of destination_*; try it: clickrelay alerts test ops',
      'warning: it may not work',
      '',
    ].join('\n'),
    stderr: '',
  });
  const body = {
    type: 'slack',
    url,
    codes: ['destination_*', 'silence'],
    repeat: { warning: '12h' },
    quiet: { from: '22:00', to: '07:00', timeZone: 'Africa/Johannesburg', days: ['mon', 'tue'] },
    sendResolved: false,
  };
  expect(asked()).toEqual([`PUT /v1/alerts/channels/ops ${JSON.stringify(body)}`]);
});

test('a new signing secret is shown, and quiet hours without a time zone are called wrongly', async () => {
  answers['PUT /v1/alerts/channels/hook'] = {
    ...channel,
    id: 'hook',
    type: 'webhook',
    secret: 'whsec_new',
    warnings: [],
  };
  const added = await cli('alerts', 'add', 'hook', '--type', 'webhook', '--url', 'https://h.example/');
  expect(added.stdout).toContain('its secret, shown only now: whsec_new\n');
  const wrong = await cli('alerts', 'add', 'hook', '--type', 'webhook', '--quiet', '22:00-07:00');
  expect([wrong.code, wrong.stderr]).toEqual([2, 'error: --quiet needs --time-zone, such as Africa/Johannesburg\n']);
});

test('channels are listed with which of them take nothing', async () => {
  answers['GET /v1/alerts/channels?limit=500'] = { items: [], next: null };
  expect((await cli('alerts')).stdout).toBe(
    'nobody is told when something is wrong; add a channel: clickrelay alerts add --help\n',
  );
  const quiet = { from: '22:00', to: '07:00', days: ['sat', 'sun'], timeZone: 'UTC', critical: true };
  const failing = { since: '2026-11-30T10:00:00.000Z', code: '404' };
  answers['GET /v1/alerts/channels?limit=500'] = {
    items: [channel, { ...channel, id: 'team', type: 'teams', codes: ['silence'], quiet, failing }],
    next: null,
  };
  expect((await cli('alerts', 'list')).stdout).toBe(
    [
      'CHANNEL  TYPE   STATE                                   IS TOLD                          QUIET',
      'ops      slack  works                                   critical and warning',
      'team     teams  fails since 2026-11-30T10:00:00Z (404)  critical and warning of silence  22:00-07:00 sat,sun UTC critical too',
      '',
    ].join('\n'),
  );
});

test('a test says what came of it, with code 1 when it was not taken', async () => {
  answers['POST /v1/alerts/channels/ops/test'] = {
    delivered: true,
    status: 202,
    error: null,
    note: 'look into the chat',
  };
  expect(await cli('alerts', 'test', 'ops')).toEqual({
    code: 0,
    stdout: 'ops took a test and answered 202; look into the chat\n',
    stderr: '',
  });
  answers['POST /v1/alerts/channels/ops/test'] = {
    delivered: false,
    status: null,
    error: 'destination_refused',
    note: null,
  };
  const failed = await cli('alerts', 'test', 'ops');
  expect([failed.code, failed.stdout]).toEqual([1, 'ops did not take a test: destination_refused\n']);
  expect((await cli('alerts', 'test', 'nobody')).code).toBe(3);
});

test('what was sent is listed, and a channel is removed', async () => {
  const sent = {
    id: 'alt_1',
    at: '2026-11-30T10:00:30.000Z',
    channelId: 'ops',
    what: 'raised',
    code: 'destination_failing',
    severity: 'critical',
    subject: { kind: 'destination', id: 'crm' },
    status: 200,
    error: null,
    tries: 1,
  };
  const lost = { ...sent, channelId: 'team', status: 500, error: '500', tries: 3 };
  answers['GET /v1/alerts?limit=20'] = { items: [lost, sent], next: 'c1' };
  expect((await cli('alerts', 'log')).stdout).toBe(
    [
      'AT                    CHANNEL  WHAT    SEVERITY  CODE                 SUBJECT  ANSWER          TRIES',
      '2026-11-30T10:00:30Z  team     raised  critical  destination_failing  crm      not taken: 500  3',
      '2026-11-30T10:00:30Z  ops      raised  critical  destination_failing  crm      200             1',
      'more: clickrelay alerts log --cursor c1',
      '',
    ].join('\n'),
  );
  answers['DELETE /v1/alerts/channels/ops'] = {};
  expect((await cli('alerts', 'remove', 'ops')).stdout).toBe('ops is removed; it is told nothing any more\n');
});
