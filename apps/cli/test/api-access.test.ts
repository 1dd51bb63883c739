import { freePort } from '@clickrelay/service/machine';
import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';
import { delivery, event, useScriptedApi } from './use-scripted-api.ts';

const { answers, api, asked, cli, env } = useScriptedApi();

test('commands ask for personal data only with --reveal', async () => {
  const hidden = { ...event, from: '…01', to: '…02', data: { text: '(hidden)' }, raw: '(hidden)' };
  const entry = { id: 'qrt_1', receivedAt: '2026-11-20T10:00:03.000Z', reason: 'not JSON', bytes: 3 };
  answers[`GET /v1/events/${event.id}`] = { ...hidden, deliveries: [] };
  answers[`GET /v1/events/${event.id}?reveal=true`] = { ...event, deliveries: [] };
  answers['GET /v1/quarantine/qrt_1'] = { ...entry, body: null };
  answers['GET /v1/quarantine/qrt_1?reveal=true'] = { ...entry, body: { text: 'boo', base64: 'Ym9v' } };
  expect((await cli('events', event.id)).stdout).toContain('as received\n  (hidden): --reveal shows it\n');
  expect((await cli('events', event.id, '--reveal')).stdout).toContain('"content": "hello"');
  expect((await cli('quarantine', 'show', 'qrt_1')).stdout).toContain('(hidden): --reveal shows it');
  expect((await cli('quarantine', 'show', 'qrt_1', '--reveal')).stdout).toContain('\nboo\n');
  await cli('events', '--reveal');
  await cli('message', 'm1', '--reveal');
  await cli('dead-letters', '--reveal');
  await cli('dead-letters', 'show', delivery.id, '--reveal');
  await cli('destinations', 'match', 'crm', '--event', event.id, '--reveal');
  await cli('replays', 'list', '--reveal');
  await cli('tail', '--reveal');
  expect(asked().map((line) => /reveal=\w+/.exec(line)?.[0])).toEqual([
    'reveal=false',
    'reveal=true',
    'reveal=false',
    // `message` also looks for a clientMessageId.
    ...Array.from({ length: 9 }, () => 'reveal=true'),
  ]);
});

test('a list of destinations, keys or replays is shown whole, however many pages it has', async () => {
  const key = (id: string) => ({
    id,
    name: 'n8n',
    scopes: ['read'],
    destinations: [],
    createdAt: '2026-11-20T10:00:00Z',
  });
  answers['GET /v1/keys?limit=500'] = { items: [key('key_1')], next: 'c1' };
  answers['GET /v1/keys?limit=500&cursor=c1'] = { items: [key('key_2')], next: null };
  expect(JSON.parse((await cli('keys', '--json')).stdout)).toEqual({ items: [key('key_1'), key('key_2')], next: null });
});

test('an error with --json has the shape of the API, and the exit code says what kind it is', async () => {
  const issues = [{ path: 'kind', message: 'unknown' }];
  const answer = (status: number, code: string, more: object = {}) =>
    api.answerWith(() => ({ status, body: JSON.stringify({ error: { code, message: 'no', ...more } }) }));
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(...args, '--json');
    return [code, stdout, JSON.parse(stderr)];
  };
  answer(400, 'invalid_request', { issues });
  expect(await told('events')).toEqual([2, '', { error: { code: 'invalid_request', message: 'no', issues } }]);
  expect((await cli('events')).stderr).toBe('error: no\n  kind: unknown\n');
  for (const [status, code, exitCode] of [
    [404, 'not_found', 3],
    [409, 'already_pending', 4],
    [503, 'queue_unavailable', 5],
    [500, 'internal_error', 1],
  ] as const) {
    answer(status, code);
    expect(await told('events', event.id)).toEqual([exitCode, '', { error: { code, message: 'no' } }]);
  }
  const usage = { code: 'usage', message: expect.stringContaining("unknown option '--lmit'") };
  expect(await told('events', '--lmit', '5')).toEqual([2, '', { error: usage }]);
});

test('an error says what to do when the API is away or refuses the key', async () => {
  const port = await freePort();
  const away = await runCli(['events'], {
    ...env(),
    API_URL: `http://127.0.0.1:${port}`,
    CLICKRELAY_COMMAND: './clickrelay',
  });
  expect([away.code, away.stderr]).toEqual([
    5,
    `error: clickrelay is not running here: nothing answers at http://127.0.0.1:${port}; start it with \`./clickrelay start\`, or set API_URL and API_KEY to where it runs\n`,
  ]);
  api.answerWith(() => ({
    status: 404,
    body: '{"error":{"code":"not_found","message":"nothing is served at this path"}}',
  }));
  expect((await cli('events')).stderr).toContain('is not the API of Clickrelay');
  api.answerWith(() => ({ status: 401, body: '{"error":{"code":"unauthorized","message":"no"}}' }));
  const refused = await cli('events', '--json');
  expect([refused.code, JSON.parse(refused.stderr)]).toEqual([
    4,
    { error: { code: 'unauthorized', message: expect.stringContaining('refuses the key from API_KEY or DATA_DIR') } },
  ]);
});
