import { splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { describe, expect, it } from 'vitest';
import { isShownField, maskEvent } from '../src/mask.ts';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();

const keyWith = async (scopes: string[], destinations?: string[]) => {
  const { body } = await api.call('POST', '/v1/keys', { name: 'test', scopes, destinations });
  return (method: string, path: string, sent?: unknown) =>
    api.call(method, path, sent, { authorization: `Bearer ${body.key}` });
};

const searches = async () => {
  const { body } = await api.call('GET', '/v1/audit?limit=500');
  return body.items.filter(({ action }: { action: string }) => action === 'personal_data.searched');
};

const PERSONAL = [
  ["event.data.text.startsWith('a')", 'data.text'],
  ["event.from == '27999123401' || event.to == 'x'", 'from, to'],
  ["event.raw.content.contains('a')", 'raw.content'],
  ['has(event.raw.sms)', 'raw.sms'],
  ["event['data']['text'] == 'a'", 'data.text'],
  ["event.data.exists(name, event.data[name] == 'a')", 'data, data.*'],
  ["cel.bind(it, event, it.from == 'a')", 'event'],
  ["event.data.files[0].fileName == 'a'", 'data.files.*.fileName'],
  ["event.data.name == 'a'", 'data.name'],
] as const;

describe('a filter over personal data', () => {
  it('is one that reads anything which masking hides', () => {
    const [, ...events] = splitCallback(JSON.stringify(samples.reply), '2026-03-01T12:00:00.000Z');
    events.push(...splitCallback(JSON.stringify(samples.status), '2026-03-01T12:00:00.000Z'));
    const seen = new Set<string>();
    for (const { event } of events) {
      const masked = maskEvent(event as never);
      for (const name of Object.keys(event) as (keyof typeof event)[]) {
        if (isShownField({ path: [name], isOnlyTested: false })) expect(masked[name], name).toEqual(event[name]);
        else seen.add(name);
      }
      for (const name of Object.keys(event.data)) {
        const isShown = isShownField({ path: ['data', name], isOnlyTested: false });
        // Of a field in which senders write a word, a sentence is hidden.
        const isWord = /^[\w./-]+$/.test(String(event.data[name]));
        if (isShown && isWord) expect(masked.data[name], name).toEqual(event.data[name]);
      }
    }
    expect([...seen].sort()).toEqual(['data', 'from', 'raw', 'to']);
  });

  it.each(PERSONAL)('needs the scope reveal: %s', async (filter, fields) => {
    const call = await keyWith(['replay', 'read', 'admin']);
    const before = await searches();
    for (const dryRun of [true, false]) {
      for (const path of ['/v1/replays', '/v1/dead-letters/remove']) {
        const { status, body } = await call('POST', path, { filter, dryRun });
        expect([status, body.error?.code]).toEqual([403, 'forbidden_scope']);
        expect(body.error.message).toContain(`a filter over personal data (${fields}) needs the scope reveal`);
      }
    }
    expect(await searches()).toEqual(before);
  });

  it('is answered to a key with that scope, and the audit record says which fields', async () => {
    const call = await keyWith(['replay', 'reveal']);
    const [, before] = await Promise.all([logEvent(api.store), searches()]);
    const asked = await call('POST', '/v1/replays', { filter: "event.data.text == 'canary'", dryRun: true });
    expect(asked).toMatchObject({ status: 202, body: { matched: 0 } });
    const after = await searches();
    expect(after).toHaveLength(before.length + 1);
    expect(after[0]).toMatchObject({ target: '/v1/replays', detail: { fields: ['data.text'] } });
    expect(JSON.stringify(after)).not.toContain('canary');
  });

  it('is none when it reads only what masking shows', async () => {
    const call = await keyWith(['replay']);
    for (const filter of [
      "event.type == 'moText' && event.data.code in [4.0, 5.0] && event.data.class == 'failed'",
      "has(event.data.text) && has(event.from) && event.channel == 'sms'",
      "event.messageId == 'x' || event.integrationName == 'y' || event.receivedAt > '2026'",
      "event.data.files[0].contentType == 'image/png'",
    ]) {
      expect(await call('POST', '/v1/replays', { filter, dryRun: true })).toMatchObject({ status: 202 });
    }
  });
});

describe('a key that sets filters', () => {
  it('cannot ask which past events they match, unless it may reveal', async () => {
    const logged = await logEvent(api.store);
    const eventId = logged.event.id;
    const reader = await keyWith(['read']);
    const admin = await keyWith(['read', 'admin']);
    const seer = await keyWith(['read', 'admin', 'reveal']);
    expect((await admin('PUT', '/v1/destinations/bot', { type: 'pull', filter: "event.from == 'x'" })).status).toBe(
      200,
    );
    const match = `/v1/destinations/bot/match?event=${eventId}`;
    expect(await admin('GET', match)).toMatchObject({ status: 403, body: { error: { code: 'forbidden_scope' } } });
    for (const call of [reader, seer]) expect(await call('GET', match)).toMatchObject({ status: 200 });
    const unwantedBy = async (call: typeof admin) => (await call('GET', `/v1/events/${eventId}`)).body.unwanted;
    expect(await unwantedBy(admin)).toEqual([]);
    expect(await unwantedBy(reader)).toEqual([expect.objectContaining({ destinationId: 'bot', rule: 'filter' })]);
    await admin('PUT', '/v1/destinations/bot', { type: 'pull', filter: "event.channel == 'x'" });
    expect((await admin('GET', match)).status).toBe(200);
    expect(await unwantedBy(admin)).toHaveLength(1);
  });
});

describe('a key that makes keys', () => {
  it('gives only what it has itself', async () => {
    const admin = await keyWith(['admin', 'read']);
    const made = (body: object) => admin('POST', '/v1/keys', { name: 'other', ...body });
    expect((await made({ scopes: ['read'] })).status).toBe(201);
    for (const body of [
      { scopes: ['reveal'] },
      { scopes: ['read', 'replay'] },
      { scopes: ['lease'], destinations: ['x'] },
    ]) {
      const refused = await made(body);
      expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden_scope']);
    }
    const bound = await keyWith(['admin', 'lease'], ['bot-*', 'own']);
    const lease = (destinations: string[]) =>
      bound('POST', '/v1/keys', { name: 'other', scopes: ['lease'], destinations });
    expect((await lease(['own'])).status).toBe(201);
    expect((await lease(['bot-*'])).status).toBe(201);
    expect((await lease(['*'])).body.error.message).toContain('this one lacks lease from *');
  });
});
