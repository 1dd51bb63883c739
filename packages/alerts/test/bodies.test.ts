import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Alert, alertOf, testAlert } from '../src/alert.ts';
import { messagesFor } from '../src/messages.ts';
import { at, channel, condition } from './verdicts.ts';

const nowMs = at('2026-11-30T10:12:00.000Z');
const channelId = 'ops';

const failing = alertOf(condition(), { what: 'raised', channelId, number: 0, since: condition().since, nowMs });
const opened = alertOf(
  condition({ mend: { text: 'see what it answers', command: null, link: 'https://relay.example/destinations/crm' } }),
  { what: 'repeated', channelId, number: 1, since: condition().since, nowMs },
);
const hostile = alertOf(
  condition({
    code: 'dead_letters',
    severity: 'warning',
    sentence: '<!channel> & @everyone *have* [1](http://x.example) `dead` letter_s',
    subject: { kind: 'destination', id: '@everyone' },
    mend: { text: '', command: 'clickrelay dead-letters --destination `@everyone`', link: null },
  }),
  { what: 'risen', channelId, number: 1, since: condition().since, nowMs },
);
const over = alertOf(
  condition({
    count: 0,
    sentence: 'over after 31 minutes: crm has taken nothing',
    mend: { text: '', command: null, link: null },
  }),
  { what: 'resolved', channelId, number: 2, since: condition().since, nowMs },
);
const test = testAlert('ops', 0, nowMs);

const CASES: Record<string, readonly Alert[]> = {
  one: [failing],
  open: [opened],
  group: [failing, hostile, over],
  test: [test],
};
const URL_OF = {
  webhook: 'https://ops.example/hook',
  slack: 'https://hooks.slack.example/services/T0/B0/x',
  teams: 'https://prod.example/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=x',
  discord: 'https://discord.example/api/webhooks/1/x?thread_id=7',
} as const;
const TYPES = Object.keys(URL_OF) as (keyof typeof URL_OF)[];

describe.each(TYPES)('a body for %s', (type) => {
  it.each(Object.keys(CASES))('is the documented one: %s', async (name) => {
    const messages = messagesFor(channel({ type, url: URL_OF[type] }), CASES[name] as readonly Alert[]);
    const bodies: unknown[] = messages.map(({ body }) => JSON.parse(body));
    await expect(`${JSON.stringify(bodies.length === 1 ? bodies[0] : bodies, null, 2)}\n`).toMatchFileSnapshot(
      `bodies/${type}-${name}.json`,
    );
  });

  it('has room for whatever many alerts there are, and says how many are left out', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      alertOf(
        condition({ sentence: `${'&<>@*_"ü😀'.repeat(60)}`, subject: { kind: 'destination', id: `d${index}` } }),
        {
          what: 'raised',
          channelId,
          number: 0,
          since: condition().since,
          nowMs,
        },
      ),
    );
    const messages = messagesFor(channel({ type, url: URL_OF[type] }), many);
    expect(messages.length).toBe(type === 'webhook' ? 300 : 1);
    if (type === 'webhook') return;
    const { body } = messages[0] as (typeof messages)[0];
    expect(body).toMatch(/and \d+ more: see clickrelay status/);
    const sent = JSON.parse(body);
    if (type === 'discord') expect(sent.content.length).toBeLessThanOrEqual(2_000);
    if (type === 'teams') expect(Buffer.byteLength(body)).toBeLessThan(28 * 1_024);
    if (type === 'slack') {
      expect(sent.blocks.length).toBeLessThanOrEqual(50);
      for (const { text } of sent.blocks) expect(text.text.length).toBeLessThanOrEqual(3_000);
    }
  });
});

it('Discord is asked to say whether it kept the message, and each other address is called as it is', () => {
  const urls = TYPES.map((type) => messagesFor(channel({ type, url: URL_OF[type] }), [failing])[0]?.url);
  expect(urls).toEqual([
    URL_OF.webhook,
    URL_OF.slack,
    URL_OF.teams,
    'https://discord.example/api/webhooks/1/x?thread_id=7&wait=true',
  ]);
});

it('the type of an alert is kind and code, without saying one of them twice', async () => {
  const typeOf = (code: string, kind: 'redis' | 'relay' | 'receiver') => {
    const alert = alertOf(condition({ code, subject: { kind, id: null } }), {
      what: 'raised',
      channelId,
      number: 0,
      since: '',
      nowMs,
    });
    return JSON.parse(messagesFor(channel(), [alert])[0]?.body ?? '').type;
  };
  expect(typeOf('redis_away', 'redis')).toBe('clickrelay.redis.away');
  expect(typeOf('silence', 'relay')).toBe('clickrelay.relay.silence');
  expect(typeOf('no_receiver', 'receiver')).toBe('clickrelay.receiver.no_receiver');
});

it('the files of this test are what the page documents', async () => {
  const page = JSON.parse(await readFile(new URL('bodies/webhook-one.json', import.meta.url), 'utf8'));
  expect(page).toEqual({
    type: 'clickrelay.destination.failing',
    timestamp: '2026-11-30T10:12:00.000Z',
    data: {
      what: 'raised',
      code: 'destination_failing',
      severity: 'critical',
      subject: { kind: 'destination', id: 'crm' },
      since: '2026-11-30T09:46:00.000Z',
      count: 371,
      sentence: 'crm has taken nothing for 26 minutes; 371 deliveries wait',
      mend: { command: 'clickrelay destinations test crm', link: null },
    },
  });
});
