import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { startCli } from './run-cli.ts';
import { delivery, event, useScriptedApi } from './use-scripted-api.ts';

const { answers, api, asked, cli, env } = useScriptedApi();

test('replay sends one delivery again, or many: counted, followed, paused, cancelled and resumed', async () => {
  const made = { id: 'rpl_1', by: 'API_KEY', createdAt: '2026-11-23T08:00:00.000Z', rate: '500/s', skipped: 0 };
  const sent = { replayed: 1, delivered: 0, failed: 0 };
  const running = { ...made, selection: { state: 'dead_letter' }, state: 'running', matched: 3, ...sent };
  const done = { ...running, state: 'done', replayed: 3, delivered: 2, failed: 1 };
  const until = '2026-11-23T08:00:00.123Z';
  const plan = { matched: 3, leftOut: [], oldest: '2026-11-22T21:02:11.000Z', until, seconds: null };
  answers['POST /v1/deliveries/dlv_crm_1/replay'] = {};
  answers['POST /v1/replays'] = { ...plan, replay: running };
  answers['GET /v1/replays/rpl_1'] = done;
  answers['GET /v1/replays?limit=500'] = { items: [done], next: null };
  answers['GET /v1/replays/rpl_1/failed?limit=500'] = { items: ['dlv_crm_2'], next: null };
  expect((await cli('replay', 'dlv_crm_1')).stdout).toBe('dlv_crm_1 is sent again\n');
  expect((await cli('replay', '--all', '--destination', 'crm', '--events', 'mo*, x', '--rate', '500/s')).stdout).toBe(
    [
      'rpl_1 is done: 3 of 3 sent again: 2 delivered, 1 failed again',
      'see which failed again with `clickrelay replays failed rpl_1`',
      '',
    ].join('\n'),
  );
  expect((await cli('replay', '--all', '--detach')).stdout).toBe('rpl_1 sends 3 dead letters again\n');
  const leftOut = [
    { reason: 'excepted', count: 2 },
    { reason: 'not_heard_of_yet', count: 1 },
  ];
  answers['POST /v1/replays'] = { ...plan, leftOut, seconds: 6, replay: null };
  const dry = await cli('replay', '--all', '--since', until, '--except', 'dlv_crm_3, dlv_crm_4', '--dry-run');
  expect(dry.stdout).toBe(
    [
      '3 dead letters would be sent again, in 6 s',
      'the oldest came 2026-11-22T21:02:11Z',
      'left out: 2 excepted',
      'left out: 1 not_heard_of_yet',
      `send the same with --until ${until}`,
      '',
    ].join('\n'),
  );
  const json = await cli('replay', 'dlv_crm_1', 'dlv_crm_2', '--delivered', '--dry-run', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ...plan, leftOut, seconds: 6 });
  // A dry run sends nothing, even for a single delivery.
  await cli('replay', 'dlv_crm_1', '--dry-run');
  const table = (await cli('replays', 'list')).stdout;
  expect(table).toMatch(/SENT AGAIN +DELIVERED +FAILED AGAIN.*\n.* 3\/3 +2 +1 +500\/s/);
  expect((await cli('replays', 'failed', 'rpl_1')).stdout).toBe('dlv_crm_2\n');
  for (const [word, state] of [
    ['pause', 'paused'],
    ['cancel', 'cancelled'],
    ['resume', 'running'],
  ] as const) {
    answers['PATCH /v1/replays/rpl_1'] = { ...running, state };
    expect((await cli('replays', word, 'rpl_1')).stdout).toBe(
      `rpl_1 is ${state}: 1 of 3 sent again: 0 delivered, 0 failed again, 1 under way\n`,
    );
  }
  expect(asked()).toEqual([
    'POST /v1/deliveries/dlv_crm_1/replay',
    'POST /v1/replays {"destination":"crm","events":["mo*","x"],"rate":"500/s","dryRun":false}',
    'GET /v1/replays/rpl_1',
    'POST /v1/replays {"dryRun":false}',
    `POST /v1/replays {"since":"${until}","except":["dlv_crm_3","dlv_crm_4"],"dryRun":true}`,
    'POST /v1/replays {"deliveries":["dlv_crm_1","dlv_crm_2"],"state":"delivered","dryRun":true}',
    'POST /v1/replays {"deliveries":["dlv_crm_1"],"dryRun":true}',
    'GET /v1/replays?limit=500&reveal=false',
    'GET /v1/replays/rpl_1/failed?limit=500',
    'PATCH /v1/replays/rpl_1 {"state":"paused"}',
    'PATCH /v1/replays/rpl_1 {"state":"cancelled"}',
    'PATCH /v1/replays/rpl_1 {"state":"running"}',
  ]);
  expect((await cli('replay')).code).toBe(2);
  expect((await cli('replay', 'dlv_crm_1', '--all')).code).toBe(2);
  expect((await cli('replay', '--all', '--since', 'yesterday')).stderr).toContain('--since takes an age');
  expect((await cli('replay', 'dlv_crm_9')).stderr).toBe('error: no such thing\n');
});

test('Ctrl-C leaves a replay running, and says so and how to stop it', async () => {
  const counts = { matched: 3, replayed: 1, delivered: 1, failed: 0, skipped: 0 };
  const running = { id: 'rpl_1', state: 'running', rate: '1/h', ...counts };
  const plan = { matched: 3, leftOut: [], oldest: null, until: '2026-11-23T08:00:00.123Z', seconds: null };
  answers['POST /v1/replays'] = { ...plan, replay: running };
  answers['GET /v1/replays/rpl_1'] = running;
  const program = await startCli(['replay', '--all', '--rate', '1/h'], env());
  await waitUntil(() => asked().includes('GET /v1/replays/rpl_1'));
  expect(await program.stop('SIGINT')).toEqual({ code: 130, signal: null });
  expect(program.stdout()).toBe(
    [
      'rpl_1 is running: 1 of 3 sent again: 1 delivered, 0 failed again',
      'it goes on without this command; look with `clickrelay replays`, pause it with `clickrelay replays pause rpl_1`, stop it for good with `clickrelay replays cancel rpl_1`',
      '',
    ].join('\n'),
  );
});

test('dead letters are removed singly, or many at once: more than a hundred only if the number is given', async () => {
  const until = '2026-11-23T08:00:00.123Z';
  const plan = { matched: 101, leftOut: [], oldest: '2026-11-22T21:02:11.000Z', until };
  answers['DELETE /v1/dead-letters/dlv_crm_1'] = {};
  answers['POST /v1/dead-letters/remove'] = { ...plan, removed: 0, left: 101 };
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1')).stdout).toBe('dlv_crm_1 is removed\n');
  const chosen = ['dead-letters', 'remove', '--all', '--destination', 'crm', '--kind', 'not_built'];
  expect((await cli(...chosen, '--dry-run')).stdout).toBe(
    [
      '101 dead letters would be removed, for good',
      'the oldest came 2026-11-22T21:02:11Z',
      `remove them with --until ${until} --expected 101`,
      '',
    ].join('\n'),
  );
  const refused = await cli(...chosen);
  expect([refused.code, refused.stderr]).toEqual([
    4,
    `error: 101 dead letters match, and would be removed for good; if you mean that, add --expected 101 --until ${until}\n`,
  ]);
  // The API stops after a hundred, for lack of time.
  const lefts = [101, 1, 0];
  const removals = [0, 100, 1];
  api.answerWith(() => ({
    status: 200,
    body: JSON.stringify({ ...plan, removed: removals.shift(), left: lefts.shift() }),
  }));
  const json = await cli(...chosen, '--expected', '101', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ...plan, removed: 101 });
  api.answerWith(() => ({ status: 200, body: JSON.stringify({ ...plan, matched: 2, removed: 2, left: 0 }) }));
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1', 'dlv_crm_2')).stdout).toBe('2 dead letters removed\n');
  const filter = '{"destination":"crm","kind":"not_built"';
  expect(asked()).toEqual([
    'DELETE /v1/dead-letters/dlv_crm_1',
    ...Array(3).fill(`POST /v1/dead-letters/remove ${filter},"dryRun":true}`),
    ...[101, 1].map((left) => `POST /v1/dead-letters/remove ${filter},"until":"${until}","expected":${left}}`),
    'POST /v1/dead-letters/remove {"deliveries":["dlv_crm_1","dlv_crm_2"],"dryRun":true}',
    `POST /v1/dead-letters/remove {"deliveries":["dlv_crm_1","dlv_crm_2"],"until":"${until}","expected":2}`,
  ]);
  expect((await cli('dead-letters', 'remove')).code).toBe(2);
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1', '--all')).code).toBe(2);
});

test('dead letters and quarantine are listed and shown', async () => {
  const letter = {
    deliveryId: delivery.id,
    eventId: event.id,
    destinationId: 'crm',
    eventType: 'moText',
    kind: 'not_built',
  };
  answers['GET /v1/dead-letters?limit=20'] = {
    items: [{ ...letter, error: 'crm answered 503', failedAt: '2026-11-20T10:00:03.000Z', attempts: 10 }],
    next: null,
  };
  answers[`GET /v1/deliveries/${delivery.id}`] = delivery;
  const kept = { id: 'qrt_1', receivedAt: '2026-11-20T10:00:03.000Z', reason: 'not JSON', bytes: 3 };
  answers['GET /v1/quarantine?limit=20'] = { items: [kept], next: null };
  answers['GET /v1/quarantine/qrt_1'] = { ...kept, body: { text: '{\u0007"', base64: 'ewci' } };
  answers['POST /v1/quarantine/qrt_1/reparse'] = { accepted: 1 };
  expect((await cli('dead-letters')).stdout).toBe(
    [
      'FAILED                DESTINATION  TYPE    KIND       DELIVERY                        TRIES  ERROR',
      '2026-11-20T10:00:03Z  crm          moText  not_built  dlv_crm_AAAAAAAAAAAAAAAAAAAAAA  10     crm answered 503',
      'send one again: clickrelay replay dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
      '',
    ].join('\n'),
  );
  // What the list shows is taken back, however it is written.
  answers['GET /v1/dead-letters?limit=20&kind=not_built&since=2026-11-20T10%3A00%3A03.000Z'] = {
    items: [],
    next: null,
  };
  for (const kind of ['not_built', 'not built']) {
    const list = await cli('dead-letters', '--kind', kind, '--since', '2026-11-20T10:00:03Z');
    expect([kind, list.code, list.stdout]).toEqual([kind, 0, 'no dead letters\n']);
  }
  expect((await cli('dead-letters', '--kind', 'lost')).stderr).toContain('It must be one of refused, not_built');
  expect((await cli('dead-letters', 'show', delivery.id)).stdout).toContain('    | sorry\n');
  expect((await cli('quarantine')).stdout).toContain('2026-11-20T10:00:03Z  qrt_1  3      not JSON\n');
  expect((await cli('quarantine', 'show', 'qrt_1')).stdout).toContain('\n\n{\uFFFD"\n');
  expect((await cli('quarantine', 'reparse', 'qrt_1')).stdout).toBe('qrt_1 is accepted now: 1 event\n');
});
