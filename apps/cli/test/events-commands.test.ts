import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { startCli } from './run-cli.ts';
import { delivery, event, useScriptedApi } from './use-scripted-api.ts';

const { answers, api, asked, cli, env } = useScriptedApi();

test('events are listed without the control characters that they contain', async () => {
  const deliveries = [{ destinationId: 'crm', state: 'delivered', attempts: 1, nextAttemptAt: null }];
  answers['GET /v1/events?limit=5&type=moText'] = { items: [{ ...event, deliveries }], next: 'c2' };
  const { stdout, code } = await cli('events', '--limit', '5', '--type', 'moText');
  expect([code, stdout]).toEqual([
    0,
    [
      'RECEIVED              TYPE    CHANNEL   FROM -> TO                EVENT                       BECAME          CONTENT',
      '2026-11-20T10:00:01Z  moText  whatsapp  2799900001 -> 2799900002  evt_AAAAAAAAAAAAAAAAAAAAAA  delivered: crm  hello there [31mred',
      'more: clickrelay events --limit 5 --type moText --cursor c2',
      '',
    ].join('\n'),
  ]);
  expect(api.requests[0]?.headers.authorization).toBe('Bearer k3y');
  answers['GET /v1/events?limit=20&type=mo*&reveal=true'] = { items: [event], next: 'c3' };
  const revealed = await cli('events', '--type', 'mo*', '--reveal');
  expect(revealed.stdout).toContain("\nmore: clickrelay events --type 'mo*' --reveal --cursor c3\n");
});

test('events pages on by itself until a page holds something, and says that it does', async () => {
  answers['GET /v1/events?limit=20&type=moMedia'] = { items: [], next: 'c1' };
  answers['GET /v1/events?limit=20&type=moMedia&cursor=c1'] = { items: [], next: 'c2' };
  answers['GET /v1/events?limit=20&type=moMedia&cursor=c2'] = { items: [event], next: null };
  const found = await cli('events', '--type', 'moMedia');
  expect(found).toMatchObject({ code: 0, stderr: 'none so far, searching further back\n' });
  expect(found.stdout).toContain(event.id);
  answers['GET /v1/events?limit=20&type=moMedia&cursor=c2'] = { items: [], next: null };
  expect((await cli('events', '--type', 'moMedia')).stdout).toBe('no events\n');
});

test('one event is shown with its deliveries and attempts, or as the JSON of the API', async () => {
  const callback = { size: 612, elements: 2, others: ['evt_B'] };
  const told = {
    ...event,
    callback,
    repeats: { count: 1, lastAt: '2026-11-20T10:00:09.000Z' },
    deliveries: [delivery],
  };
  answers[`GET /v1/events/${event.id}`] = told;
  const { stdout } = await cli('events', event.id);
  expect(stdout).toContain(
    [
      'deliveries',
      '  crm dead letter (503)  dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
      '    attempt 1 at 2026-11-20T10:00:02Z, 12 ms: dead letter (503 crm answered 503)',
    ].join('\n'),
  );
  expect(stdout).toContain('a callback of 612 bytes with 2 elements; the others: evt_B\n');
  expect(stdout).toContain('1 times, last at 2026-11-20T10:00:09Z: dropped\n');
  expect(JSON.parse((await cli('events', event.id, '--json')).stdout)).toEqual(told);
});

test('a message is shown with its statuses, the late ones marked, and the replies to it', async () => {
  const status = { id: event.id, code: 6, name: 'READ', class: 'read', final: true, late: false };
  const read = { ...status, occurredAt: '2026-11-20T10:00:05.000Z', receivedAt: '2026-11-20T10:00:06.000Z' };
  const late = { ...read, code: 5, name: 'DEVICE_ACK', class: 'delivered', final: false, late: true };
  const told = {
    messageId: 'm/1',
    clientMessageId: 'order-7',
    channel: 'whatsapp',
    current: read,
    statusCount: 2,
    statuses: [{ ...late, occurredAt: '2026-11-20T10:00:04.000Z', receivedAt: '2026-11-20T10:00:09.000Z' }, read],
    received: [],
    replyCount: 1,
    replies: [event],
    complete: true,
  };
  answers['GET /v1/messages/m%2F1'] = told;
  expect((await cli('message', 'm/1')).stdout).toBe(
    [
      'message m/1',
      '  client id  order-7',
      '  channel    whatsapp',
      '  stands at  READ (read, final) since 2026-11-20T10:00:05Z',
      '',
      'statuses',
      '  HAPPENED              RECEIVED              STATUS        CLASS      EVENT',
      '  2026-11-20T10:00:04Z  2026-11-20T10:00:09Z  5 DEVICE_ACK  delivered  evt_AAAAAAAAAAAAAAAAAAAAAA  late',
      '  2026-11-20T10:00:05Z  2026-11-20T10:00:06Z  6 READ        read       evt_AAAAAAAAAAAAAAAAAAAAAA',
      '',
      'replies',
      '  HAPPENED              TYPE    FROM -> TO                EVENT',
      '  2026-11-20T10:00:00Z  moText  2799900001 -> 2799900002  evt_AAAAAAAAAAAAAAAAAAAAAA  hello there [31mred',
      '',
    ].join('\n'),
  );
  answers['GET /v1/messages?clientMessageId=order-7'] = { items: [told], next: null };
  expect(JSON.parse((await cli('message', 'order-7', '--json')).stdout)).toEqual([told]);
  expect((await cli('message', 'nothing')).code).toBe(3);
  expect((await cli('message')).code).toBe(2);
});

test('--since takes an age', async () => {
  await cli('events', '--since', '2h');
  const since = Date.parse(new URL(`http://x${api.requests[0]?.path}`).searchParams.get('since') as string);
  expect(Math.abs(Date.now() - since - 7_200_000)).toBeLessThan(120_000);
  expect((await cli('events', '--since', 'yesterday')).code).toBe(2);
});

test('tail follows events from now on, and where each one goes, until it is told to stop', async () => {
  answers['GET /v1/events?order=asc&limit=100'] = { items: [], next: 'c1' };
  answers['GET /v1/events?order=asc&limit=100&after=c1'] = { items: [event], next: 'c2' };
  answers['GET /v1/events?order=asc&limit=100&after=c2'] = { items: [], next: 'c2' };
  answers[`GET /v1/events/${event.id}`] = { ...event, deliveries: [{ ...delivery, state: 'delivered' }] };
  const program = await startCli(['tail'], env());
  await program.waitForOutput(/evt_.*\n/);
  expect(program.stdout()).toBe(
    '2026-11-20T10:00:01Z  moText  whatsapp  2799900001 -> 2799900002  hello there [31mred  evt_AAAAAAAAAAAAAAAAAAAAAA  => crm delivered\n',
  );
  await waitUntil(() => asked().filter((line) => line.endsWith('after=c2&reveal=false')).length > 1);
  expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

test('tail tells what became of a delivery that was pending at first, in a line of its own', async () => {
  const pending = { ...delivery, state: 'pending', nextAttemptAt: '2026-11-20T10:05:00.000Z' };
  const [first] = delivery.attempts;
  const second = { ...first, number: 2, startedAt: '2026-11-20T10:05:00.000Z', outcome: 'delivered', status: 204 };
  const done = { ...delivery, state: 'delivered', attempts: [first, second] };
  answers['GET /v1/events?order=asc&limit=100'] = { items: [], next: 'c1' };
  answers['GET /v1/events?order=asc&limit=100&after=c1'] = { items: [event], next: 'c2' };
  answers['GET /v1/events?order=asc&limit=100&after=c2'] = { items: [], next: 'c2' };
  answers[`GET /v1/events/${event.id}`] = { ...event, deliveries: [pending] };
  const program = await startCli(['tail'], env());
  await program.waitForOutput(/=> crm pending \(503\), again at 2026-11-20T10:05:00Z\n/);
  answers[`GET /v1/events/${event.id}`] = { ...event, deliveries: [done] };
  await program.waitForOutput(/delivered.*\n/);
  expect(program.stdout().split('\n').slice(1)).toEqual([
    '2026-11-20T10:05:00Z  evt_AAAAAAAAAAAAAAAAAAAAAA  => crm delivered at attempt 2',
    '',
  ]);
  expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

test('tail continues where it was after Clickrelay was away for a while', async () => {
  const page = (items: unknown[], next: string) => ({ status: 200, body: JSON.stringify({ items, next }) });
  let isAway = true;
  api.answerWith(({ path }) => {
    if (path.includes(event.id)) return { status: 200, body: JSON.stringify({ ...event, deliveries: [delivery] }) };
    if (!path.includes('after=')) return page([], 'c1');
    if (isAway) return 'reset';
    return path.includes('after=c1') ? page([event], 'c2') : page([], 'c2');
  });
  const program = await startCli(['tail'], env());
  await waitUntil(() => /waiting until it is back/.test(program.stderr()));
  expect(program.stderr()).toContain(api.url.replace(/\/$/, ''));
  isAway = false;
  await program.waitForOutput(/evt_.*\n/);
  expect(program.stderr().match(/waiting until/g)).toHaveLength(1);
  expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
});
