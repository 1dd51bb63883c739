import { readFile } from 'node:fs/promises';
import { waitUntil } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { useAlerter } from './use-alerter.ts';
import { condition, START, verdict } from './verdicts.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const { openConnection, openRecords, listen, add, open } = useAlerter();

const documented = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`bodies/${name}.json`, import.meta.url), 'utf8'));

it('each service gets the documented body once, again at the repeat, and once more at the end', async () => {
  const receivers = {
    webhook: await listen(204),
    slack: await listen(() => ({ status: 200, body: 'ok' })),
    teams: await listen(202),
    discord: await listen(() => ({ status: 200, body: '{"id":"1"}' })),
  };
  const types = Object.keys(receivers) as (keyof typeof receivers)[];
  for (const type of types) await add({ type, url: `${receivers[type].url}${type}?key=canary-url` }, type);
  const { alerter, lines, errors } = await open();
  const since = START - 26 * MINUTE;
  const failing = condition({ since: new Date(since).toISOString() });
  for (const minutes of [0, 1, 2, 3, 60, 4 * 60 + 2, 4 * 60 + 3, 4 * 60 + 10]) {
    await alerter.onVerdict(verdict(START + minutes * MINUTE, [failing]));
  }
  for (const minutes of [4 * 60 + 11, 4 * 60 + 12, 4 * 60 + 13])
    await alerter.onVerdict(verdict(START + minutes * MINUTE));
  const whats = receivers.webhook.requests.map(({ body }) => JSON.parse(body).data.what);
  expect(whats).toEqual(['raised', 'repeated', 'resolved']);
  expect(types.map((type) => receivers[type].requests.length)).toEqual([3, 3, 3, 3]);
  // As documented, but for its times.
  const withTimes = (text: string): unknown =>
    JSON.parse(
      text
        .replaceAll('2026-11-30T09:34:00.000Z', '2026-11-30T09:46:00.000Z')
        .replaceAll('2026-11-30T10:01:00.000Z', '2026-11-30T10:12:00.000Z')
        .replaceAll('2026-11-30 09:34 UTC', '2026-11-30 09:46 UTC'),
    );
  for (const type of types) {
    const [first] = receivers[type].requests;
    expect(withTimes(first?.body ?? '')).toEqual(await documented(`${type}-one`));
    expect(first?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Clickrelay/1.2.3' });
    expect(first?.path).toBe(`/${type}?key=canary-url${type === 'discord' ? '&wait=true' : ''}`);
  }
  expect(receivers.teams.requests[2]?.body).toContain('**over after 277 minutes: crm has taken nothing');
  expect(errors).toEqual([]);
  const { items } = await (await openRecords()).listSent({ limit: 500 });
  expect(items.length).toBe(12);
  expect(JSON.stringify([lines, items])).not.toMatch(/canary|127\.0\.0\.1|whsec/);
});

it('a webhook is signed as deliveries are, under the id of the alert', async () => {
  const receiver = await listen();
  const { secret } = await add({ url: receiver.url });
  const { alerter, clock } = await open();
  await clock.sleep(Date.now() - START, new AbortController().signal);
  await alerter.onVerdict(verdict(START, [condition()]));
  await alerter.onVerdict(
    verdict(START + MINUTE, [condition(), condition({ code: 'dead_letters', severity: 'warning' })]),
  );
  expect(receiver.requests.length).toBe(2);
  for (const { body, headers } of receiver.requests) {
    expect(new Webhook(secret as string).verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
    expect(headers['webhook-id']).toMatch(/^alt_[\w-]{22}$/);
  }
});

it('two APIs that both judge send one alert', async () => {
  const receiver = await listen(() => ({ status: 200, delayMs: 20 }));
  await add({ url: receiver.url });
  const both = [await open(), await open()];
  for (const minutes of [0, 1, 2, 300, 301, 302]) {
    const now = verdict(START + minutes * MINUTE, minutes < 302 ? [condition()] : []);
    await Promise.all(both.map(({ alerter }) => alerter.onVerdict(now)));
  }
  const whats = receiver.requests.map(({ body }) => JSON.parse(body).data.what);
  expect(whats).toEqual(['raised', 'repeated']);
});

it('what was told is known after a restart', async () => {
  const receiver = await listen();
  await add({ url: receiver.url });
  const first = await open();
  for (const minutes of [0, 1]) await first.alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  await first.alerter.close();
  const second = await open();
  for (const minutes of [10, 11]) await second.alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  for (const minutes of [12, 13]) await second.alerter.onVerdict(verdict(START + minutes * MINUTE));
  expect(receiver.requests.map(({ body }) => JSON.parse(body).data.what)).toEqual(['raised', 'resolved']);
});

it('an API that dies between sending and noting repeats one alert, under the same id', async () => {
  const receiver = await listen();
  await add({ url: receiver.url });
  const records = await openRecords();
  const death = Promise.withResolvers<never>();
  const dying = await open({
    records: {
      ...records,
      note: (id, noted) => (noted.sent === undefined ? records.note(id, noted) : death.promise),
    },
  });
  await dying.alerter.onVerdict(verdict(START, [condition()]));
  void dying.alerter.onVerdict(verdict(START + MINUTE, [condition()]));
  await receiver.waitFor(1);
  const next = await open();
  await next.alerter.onVerdict(verdict(START + MINUTE, [condition()]));
  expect(receiver.requests.length).toBe(1);
  // The turn of the dead one has ended by itself.
  await (await openConnection()).redis.del('cr:{registry}:alert-turn:ops');
  for (const minutes of [3, 4, 5]) await next.alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  expect(receiver.requests.length).toBe(2);
  const [once, again] = receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect(again).toBe(once);
  death.reject(new Error('dead'));
});

it('a channel that takes nothing for an hour is told about by the others, and not by itself', async () => {
  const broken = await listen(500);
  const whole = await listen();
  await add({ url: broken.url }, 'broken');
  await add({ url: whole.url }, 'whole');
  const { alerter, clock, records } = await open();
  let failing = false;
  for (let seconds = 0; seconds <= 3_600; seconds += 30) {
    const found = (await records.read()).failing.get('broken');
    failing = found !== undefined;
    const told = condition({
      code: 'channel_failing',
      severity: 'warning',
      subject: { kind: 'channel', id: 'broken' },
      sentence: 'the channel broken takes no alerts',
    });
    await alerter.onVerdict(verdict(START + seconds * SECOND, [condition(), ...(failing ? [told] : [])]));
    if (seconds === 60) {
      expect(alerter.facts()).toEqual([
        { id: 'broken', failingSince: START + 30_000, lastErrorCode: '500' },
        { id: 'whole', failingSince: null, lastErrorCode: null },
      ]);
      expect([broken.requests.length, clock.slept]).toEqual([3, [10_000, 50_000]]);
      expect(found).toEqual({ since: START + 30_000, triedAt: START + 30_000, code: '500' });
    }
  }
  expect(whole.requests.map(({ body }) => JSON.parse(body).type)).toEqual([
    'clickrelay.destination.failing',
    'clickrelay.channel.failing',
  ]);
  expect(new Set(broken.requests.map(({ body }) => JSON.parse(body).type))).toEqual(
    new Set(['clickrelay.destination.failing']),
  );
  expect(new Set(broken.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  // Three tries at a time, five minutes apart.
  expect(broken.requests.length).toBe(36);
  broken.answerWith(200);
  await alerter.onVerdict(verdict(START + 2 * HOUR, [condition()]));
  expect((await records.read()).failing.size).toBe(0);
});

it('a service that asks for a pause gets it, up to a minute', async () => {
  const answers = [
    { status: 429, body: '{"message":"You are being rate limited.","retry_after":15.25,"global":false}' },
    { status: 429, headers: { 'retry-after': '3600' } },
    { status: 200 },
  ];
  const receiver = await listen((_, index) => answers[index] ?? 200);
  await add({ type: 'discord', url: receiver.url });
  const { alerter, clock, lines } = await open();
  for (const minutes of [0, 1]) await alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  expect([receiver.requests.length, clock.slept]).toEqual([3, [15_250, 60_000]]);
  expect(lines.map(({ status, tries }) => [status, tries])).toEqual([[200, 3]]);
});

it('redirects are not followed, and private addresses not called', async () => {
  const inside = await listen();
  const receiver = await listen(() => ({ status: 302, headers: { location: inside.url } }));
  await add({ url: receiver.url });
  const following = await open();
  for (const minutes of [0, 1]) await following.alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  expect([receiver.requests.length, inside.requests.length, following.lines[0]?.error]).toEqual([3, 0, '302']);
  await add({ url: inside.url });
  const guarded = await open({ egressAllow: [] });
  for (const minutes of [20, 21]) await guarded.alerter.onVerdict(verdict(START + minutes * MINUTE, [condition()]));
  expect([inside.requests.length, guarded.lines[0]?.error]).toEqual([0, 'destination_refused']);
});

it('that Redis is away is told, and that it is back', async () => {
  const receiver = await listen();
  await add({ url: receiver.url });
  const { alerter } = await open();
  await alerter.onVerdict(verdict(START, []));
  const away = condition({
    code: 'redis_away',
    subject: { kind: 'redis', id: null },
    sentence: 'redis does not answer',
  });
  const store = await openConnection();
  await store.redis.call('CLIENT', 'PAUSE', '3000', 'ALL');
  for (const minutes of [1, 2]) await alerter.onVerdict(verdict(START + minutes * 30 * SECOND, [away]));
  expect(receiver.requests.length).toBe(1);
  await waitUntil(async () => (await store.redis.ping()) === 'PONG');
  for (const minutes of [3, 4, 14, 15]) await alerter.onVerdict(verdict(START + minutes * 30 * SECOND));
  expect(receiver.requests.map(({ body }) => JSON.parse(body).type)).toEqual([
    'clickrelay.redis.away',
    'clickrelay.redis.away.resolved',
  ]);
});

it('that Redis lost its data is told to the channels that went with them', async () => {
  const receiver = await listen();
  await add({ url: receiver.url });
  const { alerter } = await open();
  await alerter.onVerdict(verdict(START, []));
  await (await openConnection()).redis.flushall();
  const lost = condition({ code: 'data_lost', subject: { kind: 'redis', id: null } });
  for (const minutes of [1, 2, 3]) await alerter.onVerdict(verdict(START + minutes * MINUTE, [lost]));
  expect(receiver.requests.map(({ body }) => JSON.parse(body).type)).toEqual([
    'clickrelay.data_lost'.replace('data', 'redis.data'),
  ]);
  await add({ url: receiver.url }, 'new');
  await alerter.onVerdict(verdict(START + 4 * MINUTE, []));
  const { items } = await (await openRecords()).listSent({ limit: 10 });
  expect(items.map(({ code, what }) => [code, what])).toEqual([['data_lost', 'raised']]);
});

it('a destination of any name calls nobody', async () => {
  const receivers = { slack: await listen(), discord: await listen() };
  for (const type of ['slack', 'discord'] as const) await add({ type, url: receivers[type].url }, type);
  const { alerter } = await open();
  const named = (id: string) => condition({ subject: { kind: 'destination', id }, sentence: `${id} takes nothing` });
  for (const minutes of [0, 1]) {
    await alerter.onVerdict(verdict(START + minutes * MINUTE, [named('@everyone'), named('<!channel>')]));
  }
  const slack = receivers.slack.requests[0]?.body ?? '';
  expect(slack).toContain('&lt;!channel&gt; takes nothing');
  expect(slack + receivers.discord.requests[0]?.body).not.toContain('@everyone');
  expect(slack).not.toContain('<!channel>');
  expect(JSON.parse(receivers.discord.requests[0]?.body ?? '').allowed_mentions).toEqual({ parse: [] });
});

it('a test is sent once, is written down, and ends the failing of a channel', async () => {
  const receiver = await listen(404);
  const added = await add({ type: 'slack', url: receiver.url });
  const { alerter, records } = await open();
  await records.note('ops', { failing: { since: 1, triedAt: 2, code: '404' } });
  receiver.answerWith(() => ({ status: 404, body: 'channel_not_found' }));
  expect(await alerter.test(added)).toEqual({ status: 404, error: '404', tries: 1, word: 'channel_not_found' });
  receiver.answerWith(() => ({ status: 400, body: 'canary of an answer' }));
  expect(await alerter.test(added)).toEqual({ status: 400, error: '400', tries: 1, word: null });
  expect((await records.read()).failing.size).toBe(1);
  receiver.answerWith(200);
  expect(await alerter.test(added)).toEqual({ status: 200, error: null, tries: 1, word: null });
  expect((await records.read()).failing.size).toBe(0);
  const { items } = await records.listSent({ limit: 500 });
  expect(items.map(({ what, status }) => [what, status])).toEqual([
    ['test', 200],
    ['test', 400],
    ['test', 404],
  ]);
});
