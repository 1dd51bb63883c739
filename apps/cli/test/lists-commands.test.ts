import { expect, test } from 'vitest';
import { delivery, event, useScriptedApi } from './use-scripted-api.ts';

const { answers, asked, cli } = useScriptedApi();

test('deliveries are listed by state, destination and arrival, and one is shown with its attempts', async () => {
  const listed = {
    id: delivery.id,
    eventId: event.id,
    destinationId: 'crm',
    eventType: 'moText',
    receivedAt: '2026-11-20T10:00:01.000Z',
    state: 'pending',
    attempts: 2,
    lastAttemptAt: '2026-11-20T10:00:02.000Z',
    nextAttemptAt: '2026-11-20T10:05:00.000Z',
    status: 503,
    errorCode: 'destination_rejected',
    error: 'crm answered\n503',
  };
  const query = 'state=dead_letter&destination=crm&limit=20&until=2026-11-21T00%3A00%3A00.000Z';
  answers[`GET /v1/deliveries?${query}`] = { items: [], next: 'c1' };
  answers[`GET /v1/deliveries?${query}&cursor=c1`] = { items: [listed], next: 'c2' };
  answers[`GET /v1/deliveries/${delivery.id}`] = delivery;
  const found = await cli('deliveries', '--state', 'dead letter', '--destination', 'crm', '--until', '2026-11-21');
  expect(found).toEqual({
    code: 0,
    stdout: [
      'RECEIVED              DESTINATION  TYPE    STATE    TRIES  NEXT                  DELIVERY                        LAST ERROR',
      '2026-11-20T10:00:01Z  crm          moText  pending  2      2026-11-20T10:05:00Z  dlv_crm_AAAAAAAAAAAAAAAAAAAAAA  crm answered 503',
      'more: clickrelay deliveries --state dead_letter --destination crm --until 2026-11-21 --cursor c2',
      '',
    ].join('\n'),
    stderr: 'none so far, searching further back\n',
  });
  expect((await cli('deliveries', delivery.id)).stdout).toContain('  crm dead letter (503)\n  event evt_');
  expect((await cli('deliveries', '--state', 'lost')).code).toBe(2);
  expect((await cli('deliveries', 'dlv_crm_x')).code).toBe(3);
});

test('a person or an id is found without a number in a URL, and nothing found is no success', async () => {
  const party = 'pty_AAAAAAAAAAAAAAAAAAAAAA';
  const hits = [{ kind: 'event', id: event.id }];
  answers['POST /v1/find'] = { recognised: 'phone_number', party, hits, events: [event], complete: false };
  const found = await cli('find', '+27', '82', '000', '0004');
  expect([found.code, found.stdout]).toEqual([
    0,
    [
      `phone number: ${party}`,
      'RECEIVED              TYPE    CHANNEL   FROM -> TO                EVENT                       CONTENT',
      '2026-11-20T10:00:01Z  moText  whatsapp  2799900001 -> 2799900002  evt_AAAAAAAAAAAAAAAAAAAAAA  hello there [31mred',
      `there may be more: clickrelay events --party ${party}`,
      '',
    ].join('\n'),
  ]);
  answers['POST /v1/find'] = {
    recognised: 'client_message_id',
    party: null,
    hits: [{ kind: 'message', id: 'm1' }],
    events: [],
    complete: true,
  };
  expect((await cli('find', 'order-7')).stdout).toBe('client message id: m1\n  -> clickrelay message m1\n');
  const none = { recognised: 'short_code', party, hits: [], events: [], complete: false };
  answers['POST /v1/find'] = none;
  const text = await cli('find', '12345');
  expect([text.code, text.stdout]).toEqual([
    3,
    `short code: nothing found among the latest events; further back: clickrelay events --party ${party}\n`,
  ]);
  const json = await cli('find', '12345', '--json');
  expect([json.code, JSON.parse(json.stdout)]).toEqual([3, none]);
  expect(asked().slice(0, 2)).toEqual([
    'POST /v1/find?reveal=false {"text":"+27 82 000 0004"}',
    'POST /v1/find?reveal=false {"text":"order-7"}',
  ]);
});
